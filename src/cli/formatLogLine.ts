// How one line of a log is shown. To a file or another program it is the bytes the tenant wrote, exactly. A terminal acts
// upon control characters (it can be made to lie, or to type), so there they are written as escapes unless --raw is given.
import { visible } from '../config/problem.ts'
import { bytesOf } from '../control/logLine.ts'
import type { LogLine } from '../control/wire.ts'

export interface LogStyle {
  /** Whether control characters are written as escapes. */
  readonly escapes: boolean
  /** Whether the time and the stream stand before each line. */
  readonly timestamps: boolean
}

const newline = Buffer.from('\n')

// A carriage return before the newline is how some programs end lines; elsewhere it overwrites what stands before it.
const escaped = (text: string): Buffer => Buffer.from(visible(text.replace(/\r$/, '')))

/** The line with its newline. A remark of tenement's own is marked as such. */
export const formatLogLine = (line: LogLine, { escapes, timestamps }: LogStyle): Buffer => {
  const mark = line.stream === 'log' ? '[tenement] ' : ''
  const stamp = timestamps ? `${line.at ?? '-'} ${line.stream} ` : ''
  return Buffer.concat([Buffer.from(stamp + mark), escapes ? escaped(line.text) : bytesOf(line), newline])
}
