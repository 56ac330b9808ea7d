// The server's log: pino, one JSON line an event. Written at once and not in the background, since the lines before a crash are
// the ones that matter.
import pino, { type Logger } from 'pino'

export const createLog = (): Logger =>
  pino({ name: 'server', base: { pid: process.pid } }, pino.destination({ fd: 2, sync: true }))
