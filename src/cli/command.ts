// What a command is: a name, what it takes, what its help says, and what it does. Plain data, so that help, parsing and a
// list of all commands come from one place; program.ts alone knows the parser.
import type { Terminal } from './terminal.ts'

export interface Flag {
  /** As the parser reads it: '-n, --lines <number>'. */
  readonly flags: string
  readonly help: string
  /** The only values it may have. */
  readonly choices?: readonly string[]
}

/** What was given on the command line; names are camelCase, as in 'showEnv' for --show-env. */
export interface Given {
  has(flag: string): boolean
  text(flag: string): string | undefined
}

export interface Invocation {
  /** Positional arguments; as many as the command declares, the optional ones possibly absent. */
  readonly args: readonly string[]
  readonly given: Given
  readonly terminal: Terminal
}

export interface CommandDefinition {
  readonly name: string
  /** As the parser reads them: '<instance>' is required, '[service]' is not. */
  readonly args: readonly string[]
  /** The only values an argument may have, by its name without brackets. */
  readonly choices?: Readonly<Record<string, readonly string[]>>
  readonly summary: string
  /** Sentences below the summary in its help; absent where the summary says it all. */
  readonly more?: string
  /** Commands a person would type, each with what it does; the first is the plainest. */
  readonly examples: readonly (readonly [command: string, does: string])[]
  readonly flags: readonly Flag[]
  /** Resolves with the exit code; rejects with a TenementError or UsageError, which is reported once, by run.ts. */
  readonly run: (invocation: Invocation) => Promise<number>
}

/** The flag of every command that reads. */
export const jsonFlag: Flag = { flags: '--json', help: 'print JSON, for programs; its keys are stable' }
