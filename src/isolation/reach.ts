// What every adapter does alike for the way an instance is reached: the socket it inherits or the directory it makes one in.
import { dirname } from 'node:path'
import type { Descriptor, Directory, Reach } from './adapter.ts'

/** Descriptor number of an inherited listening socket (sd_listen_fds(3), SD_LISTEN_FDS_START). */
const listenFd = 3

/** The variables that tell the application where to listen; LISTEN_PID is set by `withListenPid`. */
export const reachEnvironment = (reach: Reach): Readonly<Record<string, string>> => {
  if (reach.kind === 'port') return { PORT: String(reach.port) }
  if (reach.kind === 'unix') return { SOCKET_PATH: reach.socket }
  return { LISTEN_FDS: '1', LISTEN_FDNAMES: 'http' }
}

export const descriptorsFor = (reach: Reach): readonly Descriptor[] =>
  reach.kind === 'fd' ? [{ fd: listenFd, kind: 'listener', socket: reach.socket }] : []

/** The directory in which the application makes a socket, if it does. */
export const ownDirectories = (reach: Reach): readonly string[] =>
  reach.kind === 'unix' ? [dirname(reach.socket)] : []

/** The socket's directory is the tenant's to write, and of the server's group, so that the server can reach what is made in it. */
export const socketDirectories = (reach: Reach): readonly Directory[] =>
  ownDirectories(reach).map((path) => ({ path, mode: 0o2710, owner: 'tenant' }))

/** A socket takes its mode from the umask: the group must be able to write it to connect (unix(7)). Everything else stays the tenant's alone. */
export const umaskFor = (reach: Reach): number => (reach.kind === 'unix' ? 0o007 : 0o077)

/**
 * LISTEN_PID must be the pid of the program itself (sd_listen_fds(3)), which nobody knows before it exists: a shell sets it
 * to its own pid and then becomes the program. The arguments pass through as they are; none is read as shell text.
 */
export const withListenPid = (argv: readonly [string, ...string[]], reach: Reach): readonly [string, ...string[]] =>
  reach.kind === 'fd' ? ['/bin/sh', '-c', 'export LISTEN_PID=$$; exec "$@"', 'sh', ...argv] : argv
