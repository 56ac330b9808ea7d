// The C library calls that Node does not offer; those about other networks are in libc/. Each returns a value or throws a
// SystemError with the call's name and errno; none keeps state. Numbers are those of Linux on every 64-bit architecture.
import { closeSync } from 'node:fs'
import koffi from 'koffi'
import { checked, closeOnExec, library as libc, SystemError } from './libc/call.ts'

export { SystemError }

const c = {
  prctl: libc.func('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)'),
  prlimit: libc.func('int prlimit(int pid, int resource, const void *limit, void *old)'),
  unshare: libc.func('int unshare(int flags)'),
  mount: libc.func(
    'int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)',
  ),
  umount2: libc.func('int umount2(const char *target, int flags)'),
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  socketpair: libc.func('int socketpair(int domain, int type, int protocol, void *fds)'),
  setsockopt: libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
  getsockopt: libc.func('int getsockopt(int fd, int level, int name, void *value, void *length)'),
  bind: libc.func('int bind(int fd, const void *address, uint32_t length)'),
  listen: libc.func('int listen(int fd, int backlog)'),
  poll: libc.func('int poll(void *fds, unsigned long count, int timeout)'),
  openat: libc.func('int openat(int dir, const char *path, int flags, uint32_t mode)'),
  mkdirat: libc.func('int mkdirat(int dir, const char *path, uint32_t mode)'),
  unlinkat: libc.func('int unlinkat(int dir, const char *path, int flags)'),
  flock: libc.func('int flock(int fd, int operation)'),
  fcntl: libc.func('int fcntl(int fd, int command, int argument)'),
  pipe2: libc.func('int pipe2(void *fds, int flags)'),
  memfdCreate: libc.func('int memfd_create(const char *name, unsigned int flags)'),
  closeRange: libc.func('long syscall(long number, unsigned int first, unsigned int last, unsigned int flags)'),
  getpriority: libc.func('int getpriority(int which, uint32_t who)'),
  pidfdOpen: libc.func('long syscall(long number, int pid, unsigned int flags)'),
  pidfdSendSignal: libc.func('long syscall(long number, int fd, int signal, void *info, unsigned int flags)'),
  execve: libc.func('execve', 'int', ['str', koffi.pointer('str'), koffi.pointer('str')]),
}

const atWorkingDirectory = -100

/** No process started from this thread can gain privileges by execve (prctl(2), Documentation/userspace-api/no_new_privs.rst). */
export const setNoNewPrivileges = (): void => {
  checked('prctl', c.prctl(38, 1, 0, 0, 0))
}

/** No core file for this process and all it starts. */
export const disableCoreDumps = (): void => {
  // A core_pattern that begins with a pipe ignores a limit of 0 and honours only 1 (fs/coredump.c); the limit of 1 byte writes no file either.
  setLimit(0, 4, 1)
}

/** Soft and hard limit of a process (0: this one) for a resource by its number (prlimit(2)); what it starts from then on inherits it. */
export const setLimit = (pid: number, resource: number, value: number): void => {
  const limit = Buffer.alloc(16)
  limit.writeBigUInt64LE(BigInt(value), 0)
  limit.writeBigUInt64LE(BigInt(value), 8)
  checked('prlimit', c.prlimit(pid, resource, limit, null))
}

/** Whether the kernel has any process of a real uid, a zombie included: it searches its own list, some microseconds for hundreds. */
export const hasProcessOf = (uid: number): boolean => {
  koffi.errno(0) // -1 is a priority too (getpriority(2))
  return c.getpriority(2, uid) !== -1 || koffi.errno() !== 3 // PRIO_USER, ESRCH
}

/** Marks every descriptor from `first` on close-on-exec, whoever opened it (close_range(2), Linux 5.11). */
export const closeDescriptorsOnExec = (first: number): void => {
  checked('close_range', Number(c.closeRange(436, first, 0xffffffff, 4)))
}

/** Gives the calling thread, and all it starts, mounts of its own: those made later are seen nowhere else. */
export const leaveMountNamespace = (): void => {
  checked('unshare', c.unshare(0x20000))
  // MS_REC | MS_SLAVE: mounts of the machine still arrive here, ours do not travel back.
  checked('mount', c.mount(null, '/', null, 0x4000 | 0x80000, null))
}

/** Shows `source` at `target` too, without set-uid programs or devices, and read-only unless it may be written. */
export const bindMount = (source: string, target: string, isWritable: boolean): void => {
  checked('mount', c.mount(source, target, null, 4096, null))
  // A bind mount takes flags only when it is remounted (mount(2), MS_REMOUNT | MS_BIND): nosuid, nodev, ro.
  checked('mount', c.mount(null, target, null, 4096 | 32 | 2 | 4 | (isWritable ? 0 : 1), null))
}

/** A small file system of its own at `target`, in which no symlink is ever followed (MS_NOSYMFOLLOW, Linux 5.10) and nothing executed. */
export const mountSocketPlace = (target: string, options: string): void => {
  // nosuid, nodev, noexec, nosymfollow
  checked('mount', c.mount('tenement', target, 'tmpfs', 2 | 4 | 8 | 256, options))
}

/** Takes a mount away, at once for names and for good when the last user of it is gone (MNT_DETACH); never follows a symlink. */
export const unmount = (target: string): void => {
  checked('umount2', c.umount2(target, 2 | 8))
}

export const socketFamily = { unix: 1, inet: 2, inet6: 10 } as const

/** A close-on-exec stream socket bound to `address` (a struct sockaddr) and listening. */
export const listenOn = (
  family: number,
  address: Uint8Array,
  options: { readonly ipv6Only?: boolean } = {},
): number => {
  const fd = checked('socket', c.socket(family, 1 | closeOnExec, 0))
  try {
    const on = Buffer.from([1, 0, 0, 0])
    if (family !== socketFamily.unix) checked('setsockopt', c.setsockopt(fd, 1, 2, on, 4)) // SOL_SOCKET, SO_REUSEADDR
    if (options.ipv6Only) checked('setsockopt', c.setsockopt(fd, 41, 26, on, 4)) // IPPROTO_IPV6, IPV6_V6ONLY
    checked('bind', c.bind(fd, address, address.length))
    checked('listen', c.listen(fd, 4096)) // cut to net.core.somaxconn by the kernel
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** The process at the other end of a connected unix socket, as the kernel recorded it at connect (SO_PEERCRED, unix(7)). */
export const peerOf = (fd: number): { readonly pid: number; readonly uid: number } => {
  const credentials = Buffer.alloc(12)
  const length = Buffer.from([12, 0, 0, 0])
  checked('getsockopt', c.getsockopt(fd, 1, 17, credentials, length))
  return { pid: credentials.readInt32LE(0), uid: credentials.readUInt32LE(4) }
}

/** Whether a descriptor can be read without waiting; for a listening socket: whether a connection waits to be accepted. */
export const isReadable = (fd: number): boolean => {
  const entry = Buffer.alloc(8)
  entry.writeInt32LE(fd, 0)
  entry.writeInt16LE(1, 4) // POLLIN
  return checked('poll', c.poll(entry, 1, 0)) > 0
}

/** Opens one path component below `dir` (a descriptor), never following a symlink at its end. */
export const openAt = (dir: number, name: string, flags: number, mode = 0): number =>
  checked('openat', c.openat(dir, name, flags | openFlags.noFollow | closeOnExec, mode))

/** Opens an absolute path whose symlinks are trusted. */
export const openPath = (path: string, flags: number): number =>
  checked('openat', c.openat(atWorkingDirectory, path, flags | closeOnExec, 0))

/** `path` is O_PATH: the object itself, without the right to read it. */
export const openFlags = { path: 0o10000000, directory: 0o200000, noFollow: 0o400000 } as const

/** Makes one directory below `dir`; false when something of that name exists. */
export const makeDirectoryAt = (dir: number, name: string, mode: number): boolean => {
  if (c.mkdirat(dir, name, mode) === 0) return true
  const errno = koffi.errno()
  if (errno === 17) return false // EEXIST
  throw new SystemError('mkdirat', errno)
}

/** Removes an empty directory below `dir`; false when there is none. */
export const removeDirectoryAt = (dir: number, name: string): boolean => {
  if (c.unlinkat(dir, name, 0x200) === 0) return true // AT_REMOVEDIR
  const errno = koffi.errno()
  if (errno === 2) return false // ENOENT
  throw new SystemError('unlinkat', errno)
}

/** Locks an open file for this process alone; false when another process holds it (flock(2): freed when the descriptor closes). */
export const tryLock = (fd: number): boolean => {
  if (c.flock(fd, 2 | 4) === 0) return true // LOCK_EX | LOCK_NB
  const errno = koffi.errno()
  if (errno === 11) return false // EWOULDBLOCK
  throw new SystemError('flock', errno)
}

/** Gives back what `tryLock` took. */
export const unlock = (fd: number): void => void checked('flock', c.flock(fd, 8)) // LOCK_UN

/** A copy of a descriptor with a number of at least `minimum`, close-on-exec. */
export const duplicateAbove = (fd: number, minimum: number): number => checked('fcntl', c.fcntl(fd, 1030, minimum))

/** Lets a descriptor pass through execve. */
export const keepAcrossExec = (fd: number): void => {
  checked('fcntl', c.fcntl(fd, 2, 0))
}

/** A pipe, both ends close-on-exec. */
export const openPipe = (): { readonly readEnd: number; readonly writeEnd: number } => {
  const ends = Buffer.alloc(8)
  checked('pipe2', c.pipe2(ends, closeOnExec))
  return { readEnd: ends.readInt32LE(0), writeEnd: ends.readInt32LE(4) }
}

/** Two connected stream sockets, both close-on-exec. */
export const openSocketPair = (): readonly [number, number] => {
  const ends = Buffer.alloc(8)
  checked('socketpair', c.socketpair(1, 1 | closeOnExec, 0, ends)) // AF_UNIX, SOCK_STREAM
  return [ends.readInt32LE(0), ends.readInt32LE(4)]
}

/** An anonymous file in memory, close-on-exec. */
export const openMemoryFile = (name: string): number => checked('memfd_create', c.memfdCreate(name, 1))

/** Signals a process through a descriptor of it, so that a pid given to somebody else meanwhile is never hit; false when it is gone. */
export const signalIf = (pid: number, signal: number, isStillMeant: () => boolean): boolean => {
  const fd = Number(c.pidfdOpen(434, pid, 0))
  if (fd < 0) return false
  try {
    return isStillMeant() && Number(c.pidfdSendSignal(424, fd, signal, null, 0)) === 0
  } finally {
    closeSync(fd)
  }
}

/** Replaces this process by another program, keeping its pid. Returns only by throwing. */
export const execute = (program: string, argv: readonly string[], env: Readonly<Record<string, string>>): never => {
  const entries = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  checked('execve', c.execve(program, [...argv, null], [...entries, null]))
  throw new SystemError('execve', 0)
}
