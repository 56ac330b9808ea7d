// How connected sockets get from the launcher to the server: over a pair of sockets made for each server, each with the number
// of the request it answers, and before the answer. The launcher never waits for a server that does not read.
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { openMessagePair, receiveDescriptor, sendDescriptor } from './libc/passing.ts'
import { closeDescriptorsOnExec } from './libc.ts'

/** The launcher's end. */
export interface HandOver {
  /** The server's end, to be inherited by it. */
  readonly serverEnd: number
  /** Closes the launcher's copy of that, once the server has its own. */
  inherited(): void
  /** Gives a copy of a socket away; throws when the server has ended or does not take what it asked for. */
  give(socket: number, request: number): void
  close(): void
}

export const openHandOver = (): HandOver => {
  const [ours, serverEnd] = openMessagePair()
  let isOpen = true
  return {
    serverEnd,
    inherited: () => closeSync(serverEnd),
    give: (socket, request) => {
      // The number may be another descriptor's by now.
      if (!isOpen) throw new Error('the server that asked has ended')
      if (!sendDescriptor(ours, writeNumber(request), socket))
        throw new Error('the server does not take the connections it asks for')
    },
    close: () => {
      if (isOpen) closeSync(ours)
      isOpen = false
    },
  }
}

/** The server's end: takes the socket that came for a request, which is there by the time its answer is. */
export const receiveSockets = (handOver: number): ((request: number) => Socket) => {
  closeDescriptorsOnExec(handOver)
  const arrived = new Map<number, number>()
  return (request) => {
    for (let next = receiveDescriptor(handOver); next !== undefined; next = receiveDescriptor(handOver))
      arrived.set(next.message.readDoubleLE(0), next.descriptor)
    const fd = arrived.get(request)
    arrived.delete(request)
    if (fd === undefined) throw new Error('the launcher handed no connection over')
    return new Socket({ fd, readable: true, writable: true })
  }
}

/** A request's number as the channel carries it: any number there is. */
const writeNumber = (request: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(request, 0)
  return bytes
}
