// What may stand at the end of a command line that is being typed, from the same table that parses it. Pure but for the
// names of instances, which are asked for only where one may stand. Knows no shell.
import { serviceOf } from '../../names.ts'
import type { CommandDefinition, Flag } from '../command.ts'

export interface Candidate {
  readonly value: string
  /** A few words for shells that show them; may be empty. */
  readonly help: string
}

/** 'files': whatever the shell itself would complete to the name of a file. */
export type Completion = readonly Candidate[] | 'files'

export interface CompleteOptions {
  readonly commands: readonly CommandDefinition[]
  readonly groups: Readonly<Record<string, string>>
  /** 'service:id' of every instance; none where no server answers. `config` is the file that was named, if any. */
  names(config: string | undefined): Promise<readonly string[]>
  /** Names of the profiles that come with tenement. */
  profiles(): Promise<readonly string[]>
  /** The words that `explain` knows. */
  codes(): Promise<readonly string[]>
}

const globalFlags: readonly Flag[] = [
  { flags: '-c, --config <file>', help: 'the config' },
  { flags: '--no-color', help: 'no colours' },
  { flags: '-h, --help', help: 'what a command does' },
]

/** '-n, --lines <number>' → its spellings, and what its value is. */
const read = ({ flags }: Flag): { readonly names: readonly string[]; readonly takes: string | undefined } => ({
  names: flags.split(/[ ,]+/).filter((word) => word.startsWith('-')),
  takes: /<([^>]+)>/.exec(flags)?.[1],
})

/** What has been typed before the word under the cursor. */
interface Typed {
  readonly definition: CommandDefinition | undefined
  /** A word stands where the command should, and is none. */
  readonly isUnknown: boolean
  /** The first word of a command of two, where the second is not typed yet. */
  readonly group: string | undefined
  /** Words behind the command that are no flags. */
  readonly positionals: number
  /** The flag whose value the word under the cursor is. */
  readonly flag: Flag | undefined
  readonly config: string | undefined
}

const flagsOf = (definition: CommandDefinition | undefined): readonly Flag[] => [
  ...(definition?.flags ?? []),
  ...globalFlags,
]

const nothingTyped: Typed = {
  definition: undefined,
  isUnknown: false,
  group: undefined,
  positionals: 0,
  flag: undefined,
  config: undefined,
}

const takeWord = (typed: Typed, word: string, { commands, groups }: CompleteOptions): Typed => {
  const { definition, group, flag } = typed
  if (flag !== undefined) {
    const isConfig = read(flag).names.includes('--config')
    return { ...typed, flag: undefined, ...(isConfig ? { config: word } : {}) }
  }
  if (word.startsWith('--config=')) return { ...typed, config: word.slice('--config='.length) }
  if (word.startsWith('-')) {
    const found = flagsOf(definition).find((each) => read(each).names.includes(word))
    return found !== undefined && read(found).takes !== undefined ? { ...typed, flag: found } : typed
  }
  if (definition !== undefined) return { ...typed, positionals: typed.positionals + 1 }
  if (group === undefined && Object.hasOwn(groups, word)) return { ...typed, group: word }
  const name = group === undefined ? word : `${group} ${word}`
  const found = commands.find((each) => each.name === name)
  return { ...typed, group: undefined, definition: found, isUnknown: found === undefined }
}

const plain = (values: Iterable<string>): readonly Candidate[] => [...values].map((value) => ({ value, help: '' }))

/** With the word that is being typed. */
type Placed = Typed & { readonly current: string }

type Source = (options: CompleteOptions, typed: Placed) => Promise<Completion>

const filesOnly: Source = async () => 'files'
/** One that comes with tenement, or the path of a file. */
const profiles: Source = async (options, { current }) =>
  /^[./~]/.test(current) ? 'files' : plain(await options.profiles())

const servicesIn = (names: readonly string[]): ReadonlySet<string> => new Set(names.map(serviceOf))

/** By what a placeholder is called in the table of commands; nothing is known of the others. */
const sources: Readonly<Record<string, Source>> = {
  instance: async (options, { config }) => plain(await options.names(config)),
  service: async (options, { config }) => plain(servicesIn(await options.names(config))),
  'instance-or-service': async (options, { config }) => {
    const names = await options.names(config)
    return plain([...servicesIn(names), ...names])
  },
  profile: profiles,
  before: profiles,
  after: profiles,
  code: async (options) => plain(await options.codes()),
  file: filesOnly,
  path: filesOnly,
  folder: filesOnly,
}

const fromSource = (
  takes: string | undefined,
  options: CompleteOptions,
  typed: Placed,
): Promise<Completion> | Completion => (takes === undefined ? undefined : sources[takes])?.(options, typed) ?? []

const flagValue = (flag: Flag, options: CompleteOptions, typed: Placed): Promise<Completion> | Completion =>
  flag.choices === undefined ? fromSource(read(flag).takes, options, typed) : plain(flag.choices)

const commandNames = ({ commands, groups }: CompleteOptions, group: string | undefined): readonly Candidate[] => {
  const below = commands.filter(({ name }) => (name.includes(' ') ? name.split(' ')[0] : undefined) === group)
  const own = below.map(({ name, summary }) => ({ value: name.split(' ').at(-1) ?? name, help: summary }))
  return group === undefined
    ? [
        ...own,
        ...Object.entries(groups).map(([value, help]) => ({ value, help })),
        { value: 'help', help: 'What a command does' },
      ]
    : own
}

const flagNames = (definition: CommandDefinition | undefined): readonly Candidate[] =>
  flagsOf(definition).flatMap((flag) => read(flag).names.map((value) => ({ value, help: flag.help })))

const argument = (options: CompleteOptions, typed: Placed): Promise<Completion> | Completion => {
  const { definition, positionals } = typed
  const written = definition?.args[positionals]?.replaceAll(/[<>[\].]/g, '')
  const choices = written === undefined ? undefined : definition?.choices?.[written]
  return choices === undefined ? fromSource(written, options, typed) : plain(choices)
}

const candidatesFor = (options: CompleteOptions, typed: Placed): Promise<Completion> | Completion => {
  if (typed.flag !== undefined) return flagValue(typed.flag, options, typed)
  if (typed.current.startsWith('-')) return flagNames(typed.definition)
  if (typed.isUnknown) return []
  return typed.definition === undefined ? commandNames(options, typed.group) : argument(options, typed)
}

/** '--phase=re': the value of a flag in one word with it. */
const inOneWord = (current: string, typed: Typed): { readonly flag: Flag; readonly head: string } | undefined => {
  const name = /^(--[\w-]+)=/.exec(current)?.[1]
  const flag = flagsOf(typed.definition).find((each) => name !== undefined && read(each).names.includes(name))
  return flag === undefined || name === undefined ? undefined : { flag, head: `${name}=` }
}

/** `words` are those behind the program's name, the last one being typed and possibly empty. */
export const complete = async (words: readonly string[], options: CompleteOptions): Promise<Completion> => {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1).reduce((typed, word) => takeWord(typed, word, options), nothingTyped)
  const typed = { ...before, current }
  const joined = inOneWord(current, typed)
  const found = await (joined === undefined ? candidatesFor(options, typed) : flagValue(joined.flag, options, typed))
  if (found === 'files') return found
  const head = joined?.head ?? ''
  return found
    .map((candidate) => ({ ...candidate, value: `${head}${candidate.value}` }))
    .filter(({ value }) => value.startsWith(current))
}
