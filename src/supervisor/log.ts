// Where the supervisor tells what happened: pino's way of writing a line, and no more of it than is used.

type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void

export interface Log {
  readonly info: Write
  readonly warn: Write
  readonly error: Write
}
