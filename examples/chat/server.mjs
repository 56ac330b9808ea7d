// A chat room on 127.0.0.1:$PORT: what one says, everyone hears, over WebSocket (/ws) or server-sent events (/events).
// Node without packages. The last hundred messages are kept in memory, so they go when the room goes to sleep.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { acceptFrames, closeFrame, textFrame } from './frames.mjs'

const page = readFileSync(new URL('page.html', import.meta.url))
const maxMessageBytes = 4096

/** @type {{ id: number, text: string }[]} */
const messages = []
/** @type {Set<import('node:http').ServerResponse>} */
const readers = new Set()
/** @type {Set<import('node:stream').Duplex>} */
const sockets = new Set()

/**
 * Somebody who no longer reads must not fill this process's memory.
 * @param {import('node:stream').Duplex | import('node:http').ServerResponse} listener
 * @param {string | Buffer} bytes
 */
const send = (listener, bytes) => {
  if (listener.writableLength > 1024 * 1024) listener.destroy()
  else listener.write(bytes)
}

/** @param {{ id: number, text: string }} message */
const eventFor = (message) => `id: ${message.id}\ndata: ${JSON.stringify(message)}\n\n`

/** @param {string} text */
const publish = (text) => {
  const message = { id: (messages.at(-1)?.id ?? 0) + 1, text }
  messages.push(message)
  if (messages.length > 100) messages.shift()
  for (const reader of readers) send(reader, eventFor(message))
  for (const socket of sockets) send(socket, textFrame(JSON.stringify(message)))
  return message
}

/**
 * Everything said since the message a browser saw last, then whatever is said from now on.
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:http').ServerResponse} res
 */
const readEvents = (req, res) => {
  const seen = Number(req.headers['last-event-id'] ?? 0)
  // A stream ends when this process does: its connection is of no use afterwards, and must not hold the process up.
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'close' })
  res.write('retry: 1000\n\n')
  for (const message of messages) if (message.id > seen) res.write(eventFor(message))
  readers.add(res)
  res.on('close', () => readers.delete(res))
}

/**
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:http').ServerResponse} res
 */
const takeMessage = (req, res) => {
  let text = ''
  req.setEncoding('utf8')
  req.on('data', (chunk) => {
    text += chunk
    if (text.length <= maxMessageBytes || res.headersSent) return
    res.writeHead(413, { connection: 'close' }).end('too long\n')
    req.resume()
  })
  req.on('end', () => {
    if (res.headersSent) return
    if (text.trim() === '') res.writeHead(400).end('say something\n')
    else res.writeHead(201, { 'content-type': 'application/json' }).end(`${JSON.stringify(publish(text))}\n`)
  })
}

const server = createServer((req, res) => {
  const asked = `${req.method} ${req.url?.split('?')[0]}`
  if (asked === 'GET /') res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page)
  else if (asked === 'GET /events') readEvents(req, res)
  else if (asked === 'POST /messages') takeMessage(req, res)
  else res.writeHead(404).end('there is nothing here\n')
})

// The handshake of RFC 6455 section 4.2.2.
server.on('upgrade', (req, socket, head) => {
  // A client that vanished: 'close' follows.
  socket.on('error', () => socket.destroy())
  const key = req.headers['sec-websocket-key']
  if (req.url !== '/ws' || req.headers.upgrade?.toLowerCase() !== 'websocket' || key === undefined) {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    return
  }
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  const answer = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
  socket.write(`${[...answer, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`)
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
  acceptFrames(socket, head, maxMessageBytes, publish)
})

process.on('SIGTERM', () => {
  for (const reader of readers) reader.end()
  for (const socket of sockets) socket.end(closeFrame(1001))
  server.close(() => process.exit(0))
  // A request under way is answered in less; a connection on which none ever came would be waited for.
  setTimeout(() => server.closeAllConnections(), 300)
})

server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log(`the room is open on port ${process.env.PORT}`))
