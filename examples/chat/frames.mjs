// The frames of a WebSocket (RFC 6455 section 5), as much as a chat needs: text in one or more pieces, ping, close.

const continuation = 0x0
const text = 0x1
const close = 0x8
const ping = 0x9
const pong = 0xa

/**
 * One unmasked frame, as a server sends them.
 * @param {number} opcode
 * @param {Buffer} payload of at most 65,535 bytes
 */
const frame = (opcode, payload) => {
  const head =
    payload.length < 126 ? Buffer.from([0x80 | opcode, payload.length]) : Buffer.from([0x80 | opcode, 126, 0, 0])
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}

/** @param {string} message */
export const textFrame = (message) => frame(text, Buffer.from(message))

/** @param {number} code */
export const closeFrame = (code) => frame(close, Buffer.from([code >> 8, code & 0xff]))

/**
 * Calls `onText` with each message that arrives; closes the socket on anything a chat has no use for.
 * @param {import('node:stream').Duplex} socket
 * @param {Buffer} head What arrived together with the handshake.
 * @param {number} maxBytes
 * @param {(message: string) => void} onText
 */
export const acceptFrames = (socket, head, maxBytes, onText) => {
  let waiting = Buffer.alloc(0)
  /** @type {Buffer[]} */
  let pieces = []

  /** @param {number} code */
  const endWith = (code) => {
    socket.removeListener('data', take)
    socket.resume()
    socket.end(closeFrame(code))
  }

  /** @param {{ isLast: boolean, opcode: number, payload: Buffer }} arrived */
  const handle = ({ isLast, opcode, payload }) => {
    if (opcode === close) return endWith(1000)
    if (opcode === ping) return socket.write(frame(pong, payload))
    if (opcode === pong) return
    const isExpected = opcode === (pieces.length === 0 ? text : continuation)
    if (!isExpected) return endWith(1003)
    pieces.push(payload)
    if (Buffer.concat(pieces).length > maxBytes) return endWith(1009)
    if (!isLast) return
    onText(Buffer.concat(pieces).toString())
    pieces = []
  }

  /** @param {Buffer} chunk */
  const take = (chunk) => {
    waiting = Buffer.concat([waiting, chunk])
    while (!socket.writableEnded) {
      const arrived = parseFrame(waiting, maxBytes)
      if (arrived === 'incomplete') return
      if (typeof arrived === 'number') return endWith(arrived)
      waiting = waiting.subarray(arrived.size)
      handle(arrived)
    }
  }

  socket.on('data', take)
  socket.on('end', () => socket.end())
  take(head)
}

/**
 * The first frame of `bytes`; a close code when it may not be accepted.
 * @param {Buffer} bytes
 * @param {number} maxBytes
 */
const parseFrame = (bytes, maxBytes) => {
  const [first, second] = bytes
  if (first === undefined || second === undefined) return 'incomplete'
  // Reserved bits belong to extensions, and a client must mask (section 5.1).
  if ((first & 0x70) !== 0 || (second & 0x80) === 0) return 1002
  const short = second & 0x7f
  if (short === 127) return 1009
  const start = short === 126 ? 4 : 2
  if (bytes.length < start + 4) return 'incomplete'
  const length = short === 126 ? bytes.readUInt16BE(2) : short
  if (length > maxBytes) return 1009
  const size = start + 4 + length
  if (bytes.length < size) return 'incomplete'
  const mask = bytes.subarray(start, start + 4)
  const payload = Buffer.from(bytes.subarray(start + 4, size))
  for (const [index, byte] of payload.entries()) payload[index] = byte ^ (mask[index % 4] ?? 0)
  return { isLast: (first & 0x80) !== 0, opcode: first & 0x0f, payload, size }
}
