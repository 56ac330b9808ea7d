// One request at a time on each connection, in order. Node hands over pipelined requests as fast as it parses them, even
// those behind one that was refused with "Connection: close"; here they wait until its connection is found closing.
// Waiting also keeps a client from having any number of instances woken over one connection.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

/** Requests a client may send ahead; more than any sends who waits for answers. */
const maxAhead = 64
/** Header lines of all that wait behind another: each costs a hundred bytes here, and four to send. */
const maxLinesAhead = 4_096

export interface Turns {
  /** Runs `serve` when everything before it on this connection is done; not at all when it cannot be answered by then. */
  take(req: IncomingMessage, serve: () => Promise<void>): void
  /** As the last thing on this connection: nothing that comes after it is served. */
  takeLast(socket: Duplex, serve: () => Promise<void>): void
}

interface Line {
  done: Promise<void>
  ahead: number
  /** Header lines of those that wait behind another. */
  linesAhead: number
  /** No more may join. */
  isClosed: boolean
  newest: IncomingMessage | undefined
}

/** `serve` must not reject. */
export const createTurns = (): Turns => {
  const lines = new WeakMap<Duplex, Line>()
  const lineOf = (socket: Duplex): Line => {
    const line = lines.get(socket) ?? {
      done: Promise.resolve(),
      ahead: 0,
      linesAhead: 0,
      isClosed: false,
      newest: undefined,
    }
    lines.set(socket, line)
    return line
  }
  const join = (line: Line, socket: Duplex, serve: () => Promise<void>, headerLines = 0): void => {
    line.ahead++
    line.linesAhead += headerLines
    line.done = line.done.then(async () => {
      line.linesAhead -= headerLines
      if (socket.writable) await serve()
      line.ahead--
    })
  }
  return {
    take: (req, serve) => {
      const line = lineOf(req.socket)
      if (line.isClosed) return
      line.newest = req
      const headerLines = line.ahead === 0 ? 0 : req.rawHeaders.length / 2
      const isBounded = line.ahead < maxAhead && line.linesAhead + headerLines <= maxLinesAhead
      if (isBounded) return join(line, req.socket, serve, headerLines)
      line.isClosed = true
      req.socket.destroy()
    },
    takeLast: (socket, serve) => {
      const line = lineOf(socket)
      if (line.isClosed) return
      line.isClosed = true
      // What could not be read was the body of a request under way: it can never be completed. Unless its head is
      // refused in this very turn of the event loop, nothing is left to say.
      if (line.newest && !line.newest.complete) setImmediate(() => socket.destroy())
      else join(line, socket, serve)
    },
  }
}
