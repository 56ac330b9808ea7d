// `tenement init`: writes a tenement.toml for the program in a folder. What was written is read back as `check` reads it
// before it is left there, and a file that is there is never touched.
import { writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { visible } from '../../config/problem.ts'
import { messageOf, TenementError } from '../../errors.ts'
import { isName } from '../../names.ts'
import { type CommandDefinition, type Invocation, jsonFlag } from '../command.ts'
import { exitCodes } from '../exitCodes.ts'
import type { Found } from '../init/found.ts'
import { printJson } from '../printJson.ts'
import { UsageError } from '../usageError.ts'

export const init: CommandDefinition = {
  name: 'init',
  args: ['[folder]'],
  summary: 'Write a tenement.toml for the program in a folder',
  more: 'Knows Node, Python (Django, Flask, gunicorn, uvicorn), Go, Rust, Ruby and PHP. Writes one to be filled in where it finds none of them. Never overwrites a file.',
  examples: [
    ['tenement init', 'for the program in this folder'],
    ['tenement init shop --name api', 'for another folder, as the service "api"'],
    ['tenement init --dry-run', 'only print what would be written'],
  ],
  flags: [
    { flags: '--name <service>', help: 'the name of the service; without it that of the program or the folder' },
    {
      flags: '--isolation <name>',
      help: 'how instances are confined; "namespace" without it',
      choices: ['none', 'namespace', 'sandbox'],
    },
    { flags: '--dry-run', help: 'print the file and write nothing' },
    jsonFlag,
  ],
  run: async (invocation) => {
    const { given, terminal } = invocation
    const made = await make(invocation)
    const isDry = given.has('dryRun')
    if (!isDry) await write(made.file, made.text)
    if (given.has('json')) printJson(terminal, reportOf(made, !isDry))
    else if (isDry) terminal.print(made.text)
    else terminal.print(visible(tell(made)))
    if (isDry && !given.has('json')) terminal.note(visible(findings(made).join('\n')))
    return exitCodes.ok
  },
}

interface Made {
  readonly file: string
  readonly text: string
  readonly name: string
  readonly isolation: string
  readonly found: Found | undefined
  /** Languages of other programs that are there too. */
  readonly also: readonly string[]
  readonly steps: readonly string[]
  /** The ids that are declared. */
  readonly tenants: readonly string[]
}

const make = async ({ args: [written = '.'], given }: Invocation): Promise<Made> => {
  const { findPrograms } = await import('../init/find.ts')
  const { openFolder } = await import('../init/folder.ts')
  const { firstTenants, writeConfig } = await import('../init/write.ts')
  const path = resolve(written)
  const folder = openFolder(path, basename(path))
  if (!(await folder.has('.')))
    throw new UsageError(`there is no folder "${path}", or this user may not look at it`, 'name one that is there')
  const [found, ...others] = await findPrograms(folder)
  const name = requireName(given.text('name')) ?? nameFrom(found?.name) ?? nameFrom(folder.name) ?? 'app'
  const isolation = given.text('isolation') ?? 'namespace'
  const file = join(path, 'tenement.toml')
  const text = writeConfig({ name, isolation, found })
  await requireSound(file, text)
  const entry = found?.entry === undefined ? undefined : await folder.text(found.entry)
  const steps = stepsFor(found, entry === undefined || /\bPORT\b/.test(entry))
  const also = others.map(({ language }) => language)
  return { file, text, name, isolation, found, also, steps, tenants: firstTenants }
}

const requireName = (written: string | undefined): string | undefined => {
  if (written === undefined || isName(written)) return written
  throw new UsageError(
    `"${written}" is no service name`,
    'use 1 to 63 of a-z, 0-9 and "-", beginning and ending with a letter or digit',
  )
}

/** '@acme/My_Shop' → 'my-shop'; undefined when nothing is left of it. */
const nameFrom = (text: string | undefined): string | undefined => {
  const last = text?.split('/').at(-1) ?? ''
  const plain = last
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '')
  return isName(plain) ? plain : undefined
}

/** What is written passes `check --no-machine`: a file name that no config can hold ends here, and nothing is left behind. */
const requireSound = async (file: string, text: string): Promise<void> => {
  const { parseConfig } = await import('../../config/load.ts')
  const { currentSurroundings } = await import('../../config/surroundings.ts')
  parseConfig({ file, text }, currentSurroundings())
}

const stepsFor = (found: Found | undefined, usesPort: boolean): readonly string[] => {
  if (found === undefined) return ['edit command: how your program is started, so that it listens on 127.0.0.1:$PORT']
  const port = usesPort ? [] : [`${found.entry} does not mention PORT: have it listen on 127.0.0.1:$PORT`]
  return [...found.steps, ...port]
}

/** 'wx' takes no file that is there, and follows no link (open(2), O_EXCL). */
const write = async (file: string, text: string): Promise<void> => {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o644 })
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    throw isThere
      ? new TenementError('unwritable_config', `"${file}" is there already, and is left as it is`, {
          fix: '"tenement init --dry-run" prints what would be written; "tenement check" says what is wrong with the one there is',
          cause,
        })
      : new TenementError('unwritable_config', `"${file}" cannot be written: ${messageOf(cause)}`, {
          fix: 'name a folder that you may write to',
          cause,
        })
  }
}

const findings = ({ found, also }: Made): readonly string[] => [
  found === undefined
    ? 'found no program that it knows; looked for package.json, manage.py, app.py, go.mod, Cargo.toml, config.ru, index.php and the like'
    : `found a ${found.language} program: ${found.because}`,
  ...(also.length === 0 ? [] : [`also there, and not served: ${also.join(', ')}`]),
]

const tell = (made: Made): string => {
  const { file, name, isolation, steps, tenants } = made
  // In this folder it is found without being named.
  const named =
    file === resolve('tenement.toml') ? '' : ` --config ${/^[\w./-]+$/.test(file) ? file : JSON.stringify(file)}`
  // In a clone the command is on nobody's PATH: whoever wrote npx writes it again.
  const command = process.env.npm_command === 'exec' ? 'npx tenement' : 'tenement'
  const instances = tenants.map((id) => `${name}:${id}`).join(' and ')
  return [
    ...findings(made),
    `wrote ${file}: service "${name}" with the instances ${instances}, isolation "${isolation}"`,
    ...steps.map((step) => `→ ${step}`),
    `→ ${command} check${named}, which says whether this machine can run it`,
    `→ ${command} serve${named}, and in another terminal: curl -H 'Host: ${tenants[0]}.${name}.localhost' localhost:8080/`,
  ].join('\n')
}

const reportOf = ({ file, text, name, isolation, found, also, steps }: Made, isWritten: boolean) => ({
  file,
  written: isWritten,
  service: name,
  isolation,
  language: found?.language ?? null,
  because: found?.because ?? null,
  command: found?.command ?? null,
  also,
  steps,
  text,
})
