// Every error a person can meet, by code: what each means stands here once, and the reference is made from it.
// An error carries the sentence with its names and values, and the next step; it is reported once, at an edge.

export const errorCodes = {
  invalid_config: 'tenement.toml does not say something that can be run',
  unreadable_config: 'the config file cannot be read as text',
  invalid_profile: 'a seccomp profile does not say something that can be made into a filter',
  missing_capability: 'a key asks for a promise the isolation adapter does not make',
  unknown_service: 'no service of this name is in tenement.toml',
  unknown_instance: 'no instance of this name is declared or added',
  already_exists: 'an instance of this name is there already',
  invalid_name: 'a service name or instance id is outside the grammar',
  not_running: 'no tenement server answers on the control socket',
  already_running: 'another tenement holds the run directory',
  start_failed: 'an instance could not be started',
  launcher_refused: 'the launcher refused what the server asked for',
  state_unusable: 'the state database cannot be used',
  too_exposed: 'a service leaves more open on this machine than its config allows',
  unwritable_config: 'a config file is not written where it was wanted',
  unwritable_report: 'a report cannot be written where it was wanted',
  unexplained_call: 'a seccomp profile allows a dangerous call and does not say why',
  exposed_secret: 'a file that holds a secret may be read by more people than need to',
  timed_out: 'what was waited for did not happen within the time given',
  busy: 'the instance is doing something that must end first',
  declared: 'an instance that stands in tenement.toml is removed there',
  unusable_plugin: 'a plug-in that provides an isolation adapter cannot be used',
  unsupported_machine: 'this machine lacks something tenement needs',
  internal: 'a fault in tenement itself',
} as const

export type ErrorCode = keyof typeof errorCodes

/** An error with what happened in its message and what to do next in `fix`. */
export class TenementError extends Error {
  override readonly name = 'TenementError'
  readonly code: ErrorCode
  readonly fix: string | undefined

  constructor(code: ErrorCode, message: string, options: { fix?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fix = options.fix
  }
}

/** The message of anything that was thrown. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))
