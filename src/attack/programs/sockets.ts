// Sockets by number, as far as Node offers no such call, and what it takes to ask whether somebody can be reached.

import { once } from 'node:events'
import { connect as connectNode, createServer, isIPv4, type NetConnectOpts } from 'node:net'
import { Refused } from '../attempt.ts'
import { addressOf, call } from '../kernel.ts'

export const addressFamily = { unix: 1, inet: 2, netlink: 16, inet6: 10, packet: 17 } as const
export const socketType = { stream: 1, datagram: 2, raw: 3, sequenced: 5 } as const

export interface Place {
  readonly host: string
  readonly port: number
}

/** struct sockaddr_in and struct sockaddr_in6, port and address in network order (ip(7), ipv6(7)). */
export const addressOfSocket = (host: string, port: number): { readonly family: number; readonly bytes: Buffer } => {
  const is4 = isIPv4(host)
  const family = is4 ? addressFamily.inet : addressFamily.inet6
  const bytes = Buffer.alloc(is4 ? 16 : 28)
  bytes.writeUInt16LE(family, 0)
  bytes.writeUInt16BE(port, 2)
  if (is4) Buffer.from(host.split('.').map(Number)).copy(bytes, 4)
  else Buffer.from(bytesOf6(host)).copy(bytes, 8)
  return { family, bytes }
}

/** Eight groups, of which '::' stands for as many as are missing, the last two perhaps as an IPv4 address (RFC 4291). */
const bytesOf6 = (host: string): readonly number[] => {
  const [before = [], after] = host.split('::').map((part) => part.split(':').filter(Boolean).flatMap(bytesOfGroup))
  return after === undefined
    ? before
    : [...before, ...Array<number>(16 - before.length - after.length).fill(0), ...after]
}

const bytesOfGroup = (group: string): readonly number[] => {
  if (group.includes('.')) return group.split('.').map(Number)
  const value = Number.parseInt(group, 16)
  return [value >> 8, value & 255]
}

/** Connects a socket to a port of 127.0.0.1. */
export const connectTcp = (fd: number, port: number): void => {
  call('connect', fd, addressOfSocket('127.0.0.1', port).bytes, 16)
}

const longestWaitMs = 700

/** Resolves when somebody takes the connection. A silence is what a packet meets that left this machine's reach: no refusal. */
export const reach = async (options: NetConnectOpts): Promise<string> => {
  const socket = connectNode(options)
  socket.setTimeout(longestWaitMs, () => socket.destroy(new Error('silence')))
  try {
    await once(socket, 'connect')
    return 'connected'
  } catch (error) {
    if (error instanceof Error && error.message === 'silence') return 'no answer, but no refusal either'
    throw error
  } finally {
    socket.destroy()
  }
}

/** As `reach`; an answer that nobody listens there came from there, so that counts as reached too. */
export const reachAnybody = async (options: NetConnectOpts): Promise<string> => {
  try {
    return await reach(options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') throw error
    return 'told that nobody listens there'
  }
}

/** Listens, connects to itself, and is connected. */
export const talkToItself = async (options: { readonly host?: string; readonly path?: string }): Promise<void> => {
  const server = createServer((socket) => socket.destroy())
  server.listen({ ...options, ...(options.host === undefined ? {} : { port: 0 }) })
  await once(server, 'listening')
  const address = server.address()
  if (address === null) throw new Refused('it does not listen')
  try {
    await reach(typeof address === 'string' ? { path: address } : { host: address.address, port: address.port })
  } finally {
    server.close()
  }
}

/** Sends a descriptor over a connected unix socket (unix(7), SCM_RIGHTS). */
export const sendDescriptor = (socket: number, fd: number): void => {
  const text = Buffer.from('descriptor')
  const vector = pointers([text])
  vector.writeBigUInt64LE(BigInt(text.length), 8)
  const control = Buffer.alloc(24)
  control.writeBigUInt64LE(20n, 0)
  control.writeInt32LE(1, 8) // SOL_SOCKET
  control.writeInt32LE(1, 12) // SCM_RIGHTS
  control.writeInt32LE(fd, 16)
  const message = Buffer.alloc(56)
  pointers([vector]).copy(message, 16, 0, 8)
  message.writeBigUInt64LE(1n, 24)
  pointers([control]).copy(message, 32, 0, 8)
  message.writeBigUInt64LE(24n, 40)
  call('sendmsg', socket, message, 0)
}

const pointers = (values: readonly Uint8Array[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 16)
  for (const [index, value] of values.entries()) bytes.writeBigUInt64LE(addressOf(value), index * 16)
  return bytes
}
