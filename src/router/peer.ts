// Who is at the other end of a connection, found out once for each: a connection that is kept asks for hundreds of things.
import type { Socket } from 'node:net'
import { readAddress } from './forwarded.ts'

export interface Peer {
  readonly address: string
  /** Whether it is one of the trusted proxies. */
  readonly isTrusted: boolean
  /** The port it came to. */
  readonly port: number
}

export const createPeers = (isTrusted: (address: string) => boolean): ((socket: Socket) => Peer) => {
  const peers = new WeakMap<Socket, Peer>()
  return (socket) => {
    const known = peers.get(socket)
    if (known) return known
    const address = readAddress(socket.remoteAddress)
    const peer = { address, isTrusted: isTrusted(address), port: socket.localPort ?? 0 }
    peers.set(socket, peer)
    return peer
  }
}
