// The text of a tenement.toml for what was found, or of one to be filled in. Pure. What stands in it from the folder is quoted
// as TOML, whatever it is.
import { stringify } from 'smol-toml'
import type { Found } from './found.ts'

export interface Wanted {
  /** A service name within the grammar. */
  readonly name: string
  readonly isolation: string
  /** Undefined for a config that is to be filled in. */
  readonly found: Found | undefined
}

/** Two, so that it shows that each has data of its own. */
export const firstTenants = ['alice', 'bob'] as const

const width = 44

/** 'key = "value"      # why' */
const line = (key: string, value: unknown, why = ''): string => {
  const written = stringify({ [key]: value }).trimEnd()
  if (why === '') return written
  return written.length < width ? `${written.padEnd(width - 1)} # ${why}` : `# ${why}\n${written}`
}

const isWord = (argument: string): boolean => /^[\w./:=@+,{}-]+$/.test(argument)

/** As one text where no word needs a quote, else as a list. */
const writeCommand = (command: readonly string[]): string | readonly string[] =>
  command.every(isWord) ? command.join(' ') : command

const head = (found: Found | undefined): readonly string[] =>
  found === undefined
    ? ['# Written by "tenement init", which found no program that it knows here: say in command how yours is started.']
    : [`# Written by "tenement init" for the ${found.language} program in this folder.`]

const placeholder = ['./my-program', '--port', '{port}']

export const writeConfig = ({ name, isolation, found }: Wanted): string =>
  [
    ...head(found),
    '# The README explains every key; "tenement check" says what is wrong with this file, and what this machine can keep.',
    '',
    '[settings]',
    line('listen', '127.0.0.1:8080', 'this machine only; ":80" is everybody'),
    line('domain', 'localhost', `instance ${firstTenants[0]} is ${firstTenants[0]}.${name}.localhost`),
    '',
    `[service.${name}]`,
    line(
      'command',
      writeCommand(found?.command ?? placeholder),
      found === undefined
        ? 'EDIT: no shell; it has to listen on 127.0.0.1:$PORT'
        : 'no shell; it has to listen on 127.0.0.1:$PORT',
    ),
    line('isolation', isolation, '"none": you trust it; "namespace": your own code, many customers;'),
    `${' '.repeat(width)}# "sandbox": code you trust only in part`,
    line('idle_timeout', '5m', 'asleep after that, until the next request'),
    '',
    `[service.${name}.env]${' '.repeat(Math.max(width - `[service.${name}.env]`.length, 1))}# beside PORT and HOME; nothing else is inherited`,
    line('DATA_DIR', '{data_dir}/{id}', 'its own directory, the only one it may keep data in'),
    ...Object.entries(found?.env ?? {}).map(([key, value]) => line(key, value)),
    '',
    '[instances]',
    line(name, firstTenants, 'each has its own process and data'),
    '',
  ].join('\n')
