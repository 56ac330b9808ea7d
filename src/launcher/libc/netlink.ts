// Questions to the kernel's network, and orders to it (netlink(7)). The answers are there as soon as a request was sent, so nothing here waits.
import { closeSync } from 'node:fs'
import { checked, closeOnExec, library, SystemError } from './call.ts'

const c = {
  socket: library.func('int socket(int domain, int type, int protocol)'),
  setsockopt: library.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
  send: library.func('long send(int fd, const void *bytes, size_t length, int flags)'),
  ifNameToIndex: library.func('unsigned int if_nametoindex(const char *name)'),
  recv: library.func('long recv(int fd, void *bytes, size_t length, int flags)'),
}

/** NETLINK_ROUTE and NETLINK_SOCK_DIAG. */
const protocols = { routing: 0, diagnosis: 4 } as const

/** A socket to the network of the namespace the thread is in, wherever it is used later. */
export const openNetlink = (subject: keyof typeof protocols): number => {
  const fd = checked('socket', c.socket(16, 3 | closeOnExec, protocols[subject])) // AF_NETLINK, SOCK_RAW
  try {
    // NETLINK_GET_STRICT_CHK (Linux 4.20): what this kernel does not know in a question is an error, never passed over.
    if (subject === 'routing') checked('setsockopt', c.setsockopt(fd, 270, 12, Buffer.from([1, 0, 0, 0]), 4))
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** In the network of the namespace the thread is in (if_nametoindex(3), where 0 is the failure). */
export const indexOfInterface = (name: string): number => checked('if_nametoindex', c.ifNameToIndex(name) || -1)

const errorMessage = 2
const doneMessage = 3
const dontWait = 0x40

/** Sends one request that dumps or is acknowledged, and returns the kernel's messages, headers included. Throws what the kernel answers. */
export const askNetlink = (fd: number, request: Uint8Array): Buffer[] => {
  checked('send', Number(c.send(fd, request, request.length, 0)))
  const messages: Buffer[] = []
  for (;;) {
    // Not zeroed, which would cost more than the question: only what was received is looked at.
    const part = Buffer.allocUnsafe(32_768)
    const received = part.subarray(0, checked('recv', Number(c.recv(fd, part, part.length, dontWait))))
    for (const message of splitMessages(received)) {
      const type = message.readUInt16LE(4)
      if (type !== doneMessage && type !== errorMessage) {
        messages.push(message)
        continue
      }
      // A dump that failed ends as one that is over, with an errno where that has none (netlink_dump_done, af_netlink.c).
      const result = message.length < 20 ? 0 : message.readInt32LE(16)
      if (result < 0) throw new SystemError('netlink', -result)
      return messages
    }
  }
}

/** Each message begins with its length and is padded to four bytes. */
const splitMessages = (bytes: Buffer): Buffer[] => {
  const messages: Buffer[] = []
  for (let at = 0; at + 16 <= bytes.length; ) {
    const length = Math.max(bytes.readUInt32LE(at), 16)
    messages.push(bytes.subarray(at, at + length))
    at += (length + 3) & ~3
  }
  return messages
}
