// The table of commands → a parser for the command line. The only file that knows which parser that is.
import { Argument, Command, CommanderError, Option } from 'commander'
import type { CommandDefinition, Flag, Given } from './command.ts'
import { exitCodes } from './exitCodes.ts'

/** What was asked for on the command line. */
export interface Asked {
  readonly definition: CommandDefinition
  readonly args: readonly string[]
  readonly given: Given
}

const optionOf = ({ flags, help, choices }: Flag): Option => {
  const option = new Option(flags, help)
  return choices ? option.choices(choices) : option
}

const argumentOf = (written: string, choices: Readonly<Record<string, readonly string[]>>): Argument => {
  const argument = new Argument(written)
  const allowed = choices[argument.name()]
  return allowed ? argument.choices(allowed) : argument
}

const givenFrom = (values: Readonly<Record<string, unknown>>): Given => ({
  has: (flag) => values[flag] === true,
  text: (flag) => {
    const value = values[flag]
    return typeof value === 'string' ? value : undefined
  },
})

const formatExamples = (examples: CommandDefinition['examples']): string => {
  const width = Math.max(...examples.map(([command]) => command.length))
  return ['Examples:', ...examples.map(([command, does]) => `  ${command.padEnd(width)}  # ${does}`), ''].join('\n')
}

const isText = (value: unknown): value is string => typeof value === 'string'

/** The command a definition belongs below: the program, or for 'config show' the group 'config', made when it is missing. */
const parentOf = (program: Command, name: string, groups: Readonly<Record<string, string>>): Command => {
  const [group = '', second] = name.split(' ')
  if (second === undefined) return program
  const found = program.commands.find((command) => command.name() === group)
  return found ?? program.command(group).description(groups[group] ?? '')
}

const addCommand = (parent: Command, definition: CommandDefinition, onAsked: (asked: Asked) => void): void => {
  const { name, args, choices = {}, summary, more, examples, flags } = definition
  // Not addCommand: only command() hands down how errors end.
  const command = parent.command(name.split(' ').at(-1) ?? name).summary(summary)
  command.description(more === undefined ? summary : `${summary}. ${more}`)
  for (const argument of args) command.addArgument(argumentOf(argument, choices))
  for (const flag of flags) command.addOption(optionOf(flag))
  command.addHelpText('before', formatExamples(examples))
  command.showHelpAfterError(`→ how it is written: tenement ${name} --help`)
  command.action(() =>
    onAsked({ definition, args: command.args.filter(isText), given: givenFrom(command.optsWithGlobals()) }),
  )
}

const examples = [
  ['tenement serve', 'serve ./tenement.toml in the foreground'],
  ['tenement check', 'say what is wrong with it, and start nothing'],
  ['tenement ps', 'who is awake'],
  ['tenement logs api:carol -f', 'what tenant "carol" of the service "api" writes'],
] as const

const makeProgram = (version: string): Command =>
  new Command('tenement')
    .description('One process per tenant, started by the first request, stopped when nobody uses it.')
    .version(version, '-V, --version', 'print the version')
    .option('-c, --config <file>', 'the config (else $TENEMENT_CONFIG, ./tenement.toml, your own, /etc/tenement)')
    .option('--no-color', 'no colours, as with NO_COLOR')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('before', formatExamples(examples))
    .showHelpAfterError('→ what there is: tenement help')
    .exitOverride()

/** Help and version end with 0; everything else the parser ends with is a usage error, which it has told on stderr. */
const endOf = (thrown: unknown): number => {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  throw thrown
}

/** What there is to parse: the commands, and what groups of them have in common. */
export interface CommandTable {
  readonly commands: readonly CommandDefinition[]
  readonly groups: Readonly<Record<string, string>>
  readonly version: string
}

/** Parses the arguments behind the program's name. A number is the exit code where there is nothing left to do. */
export const parseCommandLine = (
  argv: readonly string[],
  { commands, groups, version }: CommandTable,
): Asked | number => {
  let asked: Asked | number = exitCodes.usage
  const program = makeProgram(version)
  for (const definition of commands)
    addCommand(parentOf(program, definition.name, groups), definition, (found) => {
      asked = found
    })
  try {
    program.parse(argv, { from: 'user' })
    return asked
  } catch (error) {
    return endOf(error)
  }
}
