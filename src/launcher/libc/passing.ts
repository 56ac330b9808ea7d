// Descriptors that travel between processes over a unix socket (SCM_RIGHTS, unix(7)). Node's own way is not used for it: its
// acknowledgements let a hostile receiver bring the sender down, and hand one descriptor over at a time.
import { closeSync } from 'node:fs'
import koffi from 'koffi'
import { checked, closeOnExec, errno, library, SystemError } from './call.ts'

const vector = koffi.struct({ base: 'void *', length: 'size_t' })
const header = koffi.struct({
  name: 'void *',
  nameLength: 'uint32_t',
  vector: koffi.pointer(vector),
  vectorLength: 'size_t',
  control: 'void *',
  controlLength: 'size_t',
  flags: 'int',
})

const c = {
  socketpair: library.func('int socketpair(int domain, int type, int protocol, void *fds)'),
  sendmsg: library.func('sendmsg', 'long', ['int', koffi.pointer(header), 'int']),
  recvmsg: library.func('recvmsg', 'long', ['int', koffi.inout(koffi.pointer(header)), 'int']),
}

/** struct cmsghdr: a length of eight bytes, the level, the type. */
const controlHeaderBytes = 16
const rights = { level: 1, type: 1 } as const // SOL_SOCKET, SCM_RIGHTS
const flag = { dontWait: 0x40, noSignal: 0x4000, controlCut: 0x8, closeOnExec: 0x40000000 } as const
const wouldBlock = 11

/** Two connected sockets that keep messages apart, both close-on-exec. */
export const openMessagePair = (): readonly [number, number] => {
  const ends = Buffer.alloc(8)
  checked('socketpair', c.socketpair(1, 5 | closeOnExec, 0, ends)) // AF_UNIX, SOCK_SEQPACKET
  return [ends.readInt32LE(0), ends.readInt32LE(4)]
}

/** Sends a copy of one descriptor with a message. Never waits: false when the receiver has left too many unread. */
export const sendDescriptor = (socket: number, message: Uint8Array, descriptor: number): boolean => {
  const control = Buffer.alloc(controlHeaderBytes + 8)
  control.writeBigUInt64LE(BigInt(controlHeaderBytes + 4), 0)
  control.writeInt32LE(rights.level, 8)
  control.writeInt32LE(rights.type, 12)
  control.writeInt32LE(descriptor, controlHeaderBytes)
  const sent = Number(c.sendmsg(socket, headerOf(message, control), flag.dontWait | flag.noSignal))
  if (sent >= 0) return true
  if (errno() === wouldBlock) return false
  throw new SystemError('sendmsg', errno())
}

export interface Received {
  readonly message: Buffer
  readonly descriptor: number
}

/** The next message with its one descriptor; undefined when none is there. Throws where it came with none or with several. */
export const receiveDescriptor = (socket: number): Received | undefined => {
  const message = Buffer.alloc(64)
  const control = Buffer.alloc(64)
  const parts = { ...headerOf(message, control) }
  const length = Number(c.recvmsg(socket, parts, flag.dontWait | flag.closeOnExec))
  if (length < 0 && errno() === wouldBlock) return undefined
  checked('recvmsg', length)
  if (length === 0) throw new Error('the other end of the hand-over socket is closed')
  const descriptors = descriptorsIn(control)
  const [descriptor] = descriptors
  if (descriptor !== undefined && descriptors.length === 1 && (parts.flags & flag.controlCut) === 0)
    return { message: message.subarray(0, length), descriptor }
  for (const each of descriptors) closeSync(each)
  throw new Error(`a message came with ${descriptors.length} descriptors instead of one`)
}

/** All that the first control message holds. What the kernel did not write is zero, and so is its length. */
const descriptorsIn = (control: Buffer): number[] => {
  const length = Number(control.readBigUInt64LE(0))
  if (control.readInt32LE(8) !== rights.level || control.readInt32LE(12) !== rights.type) return []
  return Array.from({ length: Math.max(length - controlHeaderBytes, 0) / 4 }, (_, index) =>
    control.readInt32LE(controlHeaderBytes + 4 * index),
  )
}

const headerOf = (message: Uint8Array, control: Uint8Array) => ({
  name: null,
  nameLength: 0,
  vector: [{ base: message, length: message.length }],
  vectorLength: 1,
  control,
  controlLength: control.length,
  flags: 0,
})
