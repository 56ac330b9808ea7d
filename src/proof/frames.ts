// Messages on a byte stream, each with its length before it. Values travel as Node's channel between processes carries them,
// bytes as bytes, so a launch arrives as the launcher would get it from any server.
import type { Socket } from 'node:net'
import { deserialize, serialize } from 'node:v8'

const headBytes = 4

export const frame = (message: unknown): Buffer => {
  const body = serialize(message)
  const head = Buffer.alloc(headBytes)
  head.writeUInt32LE(body.length)
  return Buffer.concat([head, body])
}

/** Calls `onMessage` for each whole message. Both ends are tenement's own. */
export const readFrames = (socket: Socket, onMessage: (message: unknown) => void): void => {
  let kept = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk])
    while (kept.length >= headBytes) {
      const end = headBytes + kept.readUInt32LE()
      if (kept.length < end) return
      const message: unknown = deserialize(kept.subarray(headBytes, end))
      kept = kept.subarray(end)
      onMessage(message)
    }
  })
}
