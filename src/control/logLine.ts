// One line of a log file → its stamp, its stream and its text: `2026-11-23T18:15:54.123Z out text`.
// What the tenant wrote may be any bytes but a newline: it is never trusted to be text, and passed on whole all the same.
import { isUtf8 } from 'node:buffer'
import type { LogLine } from './wire.ts'

const stamped = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (out|err|log) /
const stampBytes = '2026-11-23T18:15:54.123Z out '.length

/** Reads a line of a log file, without its newline. One without a stamp is passed on as output of unknown time. */
export const parseLogLine = (line: Buffer): LogLine => {
  const [, at, stream] = stamped.exec(line.toString('latin1', 0, stampBytes)) ?? []
  if (at === undefined) return { at: null, stream: 'out', ...contentOf(line) }
  const content = contentOf(line.subarray(stampBytes))
  return { at, stream: stream === 'err' || stream === 'log' ? stream : 'out', ...content }
}

const contentOf = (bytes: Buffer): Pick<LogLine, 'text' | 'base64'> => ({
  text: bytes.toString(),
  base64: isUtf8(bytes) ? null : bytes.toString('base64'),
})

/** The bytes the tenant wrote on this line. */
export const bytesOf = ({ text, base64 }: LogLine): Buffer =>
  base64 === null ? Buffer.from(text) : Buffer.from(base64, 'base64')
