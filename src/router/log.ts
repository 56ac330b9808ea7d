// What the router needs of a log: pino fits. Fields carry the same names everywhere; no headers, no query strings.

export interface LogFields {
  readonly instance?: string | undefined
  readonly reason?: string
  readonly status?: number
  readonly durationMs?: number
  /** Address or network of a client, where a person has to know whose doing it is. */
  readonly client?: string | undefined
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
