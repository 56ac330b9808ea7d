// The calls that reach into another network namespace (namespaces(7)). A socket belongs for good to the namespace it was made
// in, so a moment inside is enough to open one; everything after that happens at home.
import { checked, closeOnExec, errno, library, SystemError } from './call.ts'

const c = {
  setns: library.func('int setns(int fd, int kind)'),
  ioctl: library.func('int ioctl(int fd, unsigned long request)'),
  socket: library.func('int socket(int domain, int type, int protocol)'),
  setsockopt: library.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
  getsockopt: library.func('int getsockopt(int fd, int level, int name, void *value, void *length)'),
  connect: library.func('int connect(int fd, const void *address, uint32_t length)'),
  poll: library.func('int poll(void *fds, unsigned long count, int timeout)'),
}

const networkNamespace = 0x40000000 // CLONE_NEWNET
const nonBlocking = 0o4000

/** Moves the calling thread, and no other, into a network namespace (setns(2)). */
export const enterNetwork = (network: number): void => {
  checked('setns', c.setns(network, networkNamespace))
}

/** A descriptor of the user namespace that owns a network namespace: whoever has its capabilities governs the network (ioctl_ns(2)). */
export const ownerOfNetwork = (network: number): number => checked('ioctl', c.ioctl(network, 0xb701)) // NS_GET_USERNS

/** A TCP socket (IPv4) of the namespace the thread is in; nothing done with it waits. */
export const openTcpSocket = (): number => checked('socket', c.socket(2, 1 | closeOnExec | nonBlocking, 0))

/** Begins to connect to a port of the loopback. Throws where it fails at once; otherwise `connectionOf` tells. */
export const beginConnecting = (fd: number, port: number): void => {
  // Small answers leave at once (TCP_NODELAY), as on every other connection to an instance.
  checked('setsockopt', c.setsockopt(fd, 6, 1, Buffer.from([1, 0, 0, 0]), 4))
  const address = Buffer.alloc(16) // struct sockaddr_in, ip(7)
  address.writeUInt16LE(2, 0)
  address.writeUInt16BE(port, 2)
  address.set([127, 0, 0, 1], 4)
  if (c.connect(fd, address, address.length) === 0) return
  const number = errno()
  if (number !== 115) throw new SystemError('connect', number) // EINPROGRESS
}

/** Whether a connection stands; throws with the reason where it never will. Does not wait. */
export const isConnected = (fd: number): boolean => {
  const entry = Buffer.alloc(8)
  entry.writeInt32LE(fd, 0)
  entry.writeInt16LE(4, 4) // POLLOUT
  if (checked('poll', c.poll(entry, 1, 0)) === 0) return false
  const error = Buffer.alloc(4)
  checked('getsockopt', c.getsockopt(fd, 1, 4, error, Buffer.from([4, 0, 0, 0]))) // SOL_SOCKET, SO_ERROR
  if (error.readInt32LE(0) !== 0) throw new SystemError('connect', error.readInt32LE(0))
  return true
}
