// Notices a client that takes nothing of what is there for it: until it does, it holds its instance awake. It looks at the
// socket's own timer, which Node also sets back when the kernel has taken a part of one large write.
import type { Exchange } from './exchange.ts'

/** Calls `onStuck` when bytes have been waiting for the client for `readMs` and none of them has left; silence is no fault. */
export const watchReader = ({ req, res }: Exchange, readMs: number, onStuck: () => void): void => {
  res.setTimeout(readMs)
  // Node sets its own time where the connection is idle now, and none where a request was sent ahead: this one would be left.
  res.once('finish', () => {
    if (req.socket.timeout === readMs) req.socket.setTimeout(0)
  })
  // Node destroys a connection that is silent for so long, unless somebody listens.
  res.on('timeout', () => {
    if (req.socket.writableLength > 0 || res.writableLength > 0) onStuck()
  })
}
