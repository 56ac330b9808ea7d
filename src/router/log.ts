// What the router needs of a log: pino fits. Fields carry the same names everywhere; no headers, no query strings.

export interface LogFields {
  readonly instance?: string | undefined
  readonly reason?: string
  readonly status?: number
  readonly durationMs?: number
  /** What went wrong between tenement and the instance, in a sentence. */
  readonly detail?: string
  /** A fault in tenement itself. */
  readonly err?: unknown
}

type LogLine = (fields: LogFields, message: string) => void

export interface Log {
  readonly debug: LogLine
  readonly info: LogLine
  readonly warn: LogLine
  readonly error: LogLine
}
