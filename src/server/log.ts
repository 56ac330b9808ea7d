// The server's log: pino, one JSON line an event; on a terminal the same lines as a person reads them. Written at once and not
// in the background, since the lines before a crash are the ones that matter; lost where nobody reads them, since requests
// matter more.
import { writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import pino, { type Logger } from 'pino'

const stderr = 2

/** Logs to stderr. */
export const createLog = (): Logger => {
  const shown = isatty(stderr) ? (line: string) => `${readable(line)}\n` : (line: string) => line
  return pino({ name: 'server', base: { pid: process.pid } }, { write: (line) => writeOrLose(stderr, shown(line)) })
}

/**
 * Writes to a descriptor without making a stream of it: Node would set a pipe non-blocking, for every process that shares it.
 * Nobody at the other end (EPIPE, or EIO of a terminal that is gone) and a reader that does not keep up (EAGAIN) lose text.
 */
export const writeOrLose = (fd: number, text: string): void => {
  try {
    writeSync(fd, text)
  } catch (error) {
    if (!['EPIPE', 'EAGAIN', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

const levelNames: Readonly<Record<number, string>> = { 40: 'warning: ', 50: 'error: ', 60: 'error: ' }

/** '19:07:02 notes:alice became ready  pid=9413 durationMs=245' of one of pino's lines. */
export const readable = (line: string): string => {
  const {
    level,
    time,
    msg,
    instance,
    pid: _pid,
    name: _name,
    err,
    ...fields
  } = JSON.parse(line) as Record<string, unknown>
  const clock = new Date(Number(time)).toTimeString().slice(0, 8)
  const head = [clock, instance, `${levelNames[Number(level)] ?? ''}${msg}`].filter(Boolean).join(' ')
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? { stack: err.stack } : {}
  const rest = Object.entries({ ...fields, ...stack }).map(([key, value]) => `${key}=${plain(value)}`)
  return [head, rest.join(' ')].filter(Boolean).join('  ')
}

/** Some values repeat what an instance wrote, so no byte of them may steer the terminal. */
const plain = (value: unknown): string => {
  const text = typeof value === 'string' && /^[\w.:/-]+$/.test(value) ? value : JSON.stringify(value)
  return text.replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
