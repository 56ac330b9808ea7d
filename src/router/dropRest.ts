// What is left of a request once its answer is out. Closing while it arrives would reset the connection and could take the answer with
// it, so it is read and dropped (RFC 9112 section 9.6); for a bounded time.
import type { IncomingMessage } from 'node:http'

const lingerMs = 30_000

/** The connection ends when it takes too long. */
export const dropRest = (req: IncomingMessage): void => {
  req.resume()
  if (req.complete) return
  const timer = setTimeout(() => req.complete || req.socket.destroy(), lingerMs).unref()
  req.once('close', () => clearTimeout(timer))
}
