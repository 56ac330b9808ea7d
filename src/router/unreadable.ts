// Answers what could not even be read as a request. Such an answer is written in bytes, since Node makes a response only
// for a request; it waits for those before it on the connection, and nothing behind it is served.
import type { Server } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { renderAnswer } from './answers.ts'
import type { Service } from './exchange.ts'
import { writeHead } from './rawHeaders.ts'
import { entryOf, type Reason } from './reasons.ts'
import type { Turns } from './turns.ts'

/** By the codes of Node's http server; anything else is a bad request. */
const reasonByCode: Readonly<Record<string, Reason>> = {
  HPE_HEADER_OVERFLOW: 'head_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

export const serveUnreadable = (server: Server, service: Service, turns: Turns): void => {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    const reason = reasonByCode[error.code ?? ''] ?? 'bad_request'
    turns.takeLast(socket, async () => {
      const { level, status } = entryOf(reason)
      service.log[level]({ reason, status }, 'request was refused')
      service.report({ kind: 'refused', instance: undefined, reason })
      send(socket, reason, service)
    })
  })
}

const send = (socket: Duplex, reason: Reason, { random, patience }: Service): void => {
  const { status, reasonPhrase, headers, body } = renderAnswer({ reason, delivered: false }, undefined, random)
  const head = writeHead(`HTTP/1.1 ${status} ${reasonPhrase}`, [...headers, 'Connection', 'close'])
  // One who takes nothing would keep the connection for ever.
  if (socket instanceof Socket) socket.setTimeout(patience.read.windowMs, () => socket.destroy())
  socket.end(Buffer.concat([head, body]), () => socket.destroy())
}
