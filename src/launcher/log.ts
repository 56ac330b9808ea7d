// The launcher's own log: one JSON line an event on stderr, in the form of the server's (pino), which a library would cost memory for.
import { writeSync } from 'node:fs'
import type { Log } from './launcher.ts'

const levels = { info: 30, warn: 40, error: 50 } as const

/** Loses the line when nobody reads stderr any more: the instances matter more. */
export const writeLogLine: Log = (level, msg, fields = {}) => {
  const line = JSON.stringify({
    level: levels[level],
    time: Date.now(),
    pid: process.pid,
    name: 'launcher',
    ...fields,
    msg,
  })
  try {
    writeSync(2, `${line}\n`)
  } catch (error) {
    if (!['EPIPE', 'EAGAIN', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
