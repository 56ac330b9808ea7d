// A request body on its way to the instance. It stands between the client's request and undici because undici destroys
// the body it was given when the answer is complete first, and destroying a request closes the client's connection
// before the answer is out. Nothing is buffered beyond one high-water mark.
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/** How long the rest of a request is read and dropped once its answer is out. */
const lingerMs = 30_000

/** `onProgress` is called for every piece the client gives. Destroying it leaves the rest of the request where it is. */
export const uploadOf = (req: IncomingMessage, onProgress: () => void): Readable => {
  const onData = (chunk: Buffer): void => {
    onProgress()
    if (!upload.push(chunk)) req.pause()
  }
  const onEnd = (): void => {
    upload.push(null)
  }
  let isRead = false
  const upload = new Readable({
    read: () => {
      // Not before somebody reads: of a connection that was never made, nothing of the request must be gone.
      if (!isRead) req.on('data', onData).on('end', onEnd)
      isRead = true
      req.resume()
    },
    destroy: (error, done) => {
      req.off('data', onData).off('end', onEnd)
      done(error)
    },
  })
  return upload
}

/**
 * Reads and drops what is left of an answered request (RFC 9112 section 9.6): closing while it arrives would reset the
 * connection and could take the answer with it. The connection ends when it takes too long.
 */
export const dropRest = (req: IncomingMessage): void => {
  req.resume()
  if (req.complete) return
  const timer = setTimeout(() => req.complete || req.socket.destroy(), lingerMs).unref()
  req.once('close', () => clearTimeout(timer))
}
