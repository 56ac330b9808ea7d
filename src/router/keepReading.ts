// Lets an answer be read although writing failed. An instance that answers 413 and closes while an upload still runs
// resets the connection; net.Socket would throw away the answer that is already in the receive buffer, because any
// failed write destroys the whole socket. What cannot be written is dropped instead, and reading tells how it ends.
import type { Socket } from 'node:net'

export interface KeptReading {
  /** Whether a write has failed: what is read from then on may lack its end. */
  hasFailed(): boolean
  /** From here on a failed write ends the socket as usual. */
  stop(): void
}

type Done = (error?: Error | null) => void

const peerIsGone = new Set(['EPIPE', 'ECONNRESET'])
const isPeerGone = (error: Error): boolean =>
  'code' in error && typeof error.code === 'string' && peerIsGone.has(error.code)

/** Wraps the socket's own `_write` and `_writev`, which node:stream documents for those who implement streams. */
export const keepReading = (socket: Socket): KeptReading => {
  let failed = false
  let active = true
  const write = socket._write.bind(socket)
  const writev = socket._writev?.bind(socket)
  const settle =
    (done: Done): Done =>
    (error) => {
      if (!active || !error || !isPeerGone(error)) return done(error)
      failed = true
      done()
    }
  const isDropping = (): boolean => active && failed
  socket._write = (chunk, encoding, done) => (isDropping() ? done() : write(chunk, encoding, settle(done)))
  if (writev) socket._writev = (chunks, done) => (isDropping() ? done() : writev(chunks, settle(done)))
  return {
    hasFailed: () => failed,
    stop: () => {
      active = false
    },
  }
}
