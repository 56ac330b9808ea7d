// One run of the command line, from arguments to exit code. Every error a command ends with is told here, and nowhere else.
import { ConfigError } from '../config/problem.ts'
import { TenementError } from '../errors.ts'
import { packageVersion } from '../packageVersion.ts'
import { commands, groups } from './commands.ts'
import { exitCodeFor, exitCodes } from './exitCodes.ts'
import { formatError, reportOf } from './formatError.ts'
import { toJsonLine } from './printJson.ts'
import { type Asked, parseCommandLine } from './program.ts'
import { openTerminal, type Terminal } from './terminal.ts'
import { UsageError } from './usageError.ts'

/** The error as text. Of a config it is every problem with it, each with its place in the file. */
const describe = async (thrown: unknown, terminal: Terminal): Promise<string> => {
  if (!(thrown instanceof ConfigError)) return formatError(reportOf(thrown), terminal.paintNote)
  const { formatProblems } = await import('../check/format.ts')
  return formatProblems(thrown.problems, process.cwd())
}

/** Tells an error on stderr, in the form that was asked for; returns the exit code it means. */
const tell = async (thrown: unknown, { given }: Asked, terminal: Terminal): Promise<number> => {
  terminal.note(given.has('json') ? toJsonLine(reportOf(thrown)) : await describe(thrown, terminal))
  if (thrown instanceof UsageError) return exitCodes.usage
  if (thrown instanceof TenementError) return exitCodeFor(thrown.code)
  // A fault in tenement: whoever reports it needs to say where.
  if (thrown instanceof Error && thrown.stack !== undefined) terminal.note(thrown.stack)
  return exitCodes.failure
}

/** Runs what the arguments ask for; resolves with the exit code, never rejects for what a command ended with. */
export const run = async (argv: readonly string[]): Promise<number> => {
  const asked = parseCommandLine(argv, { commands, groups, version: packageVersion() })
  if (typeof asked === 'number') return asked
  const terminal = openTerminal(!asked.given.has('color'))
  try {
    return await asked.definition.run({ args: asked.args, given: asked.given, terminal })
  } catch (error) {
    return await tell(error, asked, terminal)
  }
}
