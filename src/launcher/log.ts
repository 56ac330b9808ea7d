// The launcher's own log on stderr: one JSON line an event in the form of the server's (pino, which would cost memory here), and
// plain words on a terminal.
import { writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import type { Log } from './launcher.ts'

const levels = { info: 30, warn: 40, error: 50 } as const

const formatLine = (level: keyof typeof levels, message: string, fields: Readonly<Record<string, unknown>>): string =>
  isatty(2)
    ? [`${level}: ${message}`, ...Object.entries(fields).map(([key, value]) => `${key}=${JSON.stringify(value)}`)].join(
        ' ',
      )
    : JSON.stringify({
        level: levels[level],
        time: Date.now(),
        pid: process.pid,
        name: 'launcher',
        ...fields,
        msg: message,
      })

/** Loses the line when nobody reads stderr any more: the instances matter more. */
export const writeLogLine: Log = (level, message, fields = {}) => {
  try {
    writeSync(2, `${formatLine(level, message, fields)}\n`)
  } catch (error) {
    if (!['EPIPE', 'EAGAIN', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
