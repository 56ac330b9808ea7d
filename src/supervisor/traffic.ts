// How many bytes an instance has sent on the connections that requests use: what tells one that is busy from one that is dead.
import type { Socket } from 'node:net'
import type { Connect } from './reach.ts'

export interface Traffic {
  /** The same connections, counted. */
  readonly connect: Connect
  /** Bytes received since the count began. */
  receivedBytes(): number
}

export const countTraffic = (connect: Connect): Traffic => {
  const open = new Set<Socket>()
  let closedBytes = 0
  return {
    connect: async () => {
      const socket = await connect()
      open.add(socket)
      socket.once('close', () => {
        open.delete(socket)
        closedBytes += socket.bytesRead
      })
      return socket
    },
    receivedBytes: () => [...open].reduce((sum, { bytesRead }) => sum + bytesRead, closedBytes),
  }
}
