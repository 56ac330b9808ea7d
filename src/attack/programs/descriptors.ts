// What the instance found open when it began, and what can be got through it. Node marks what it inherits close-on-exec, so
// this runs inside the instance's first process; what Node opens for itself is neither a file nor a directory nor listens.
import { closeSync, fstatSync, openSync, readdirSync, readlinkSync } from 'node:fs'
import { type Attack, Refused, requireThat } from '../attempt.ts'
import { call } from '../kernel.ts'
import type { Targets } from '../targets.ts'
import { addressFamily, connectTcp } from './sockets.ts'

/** The listener an instance is given: 0, 1 and 2 are its input and output. */
const listener = 3

/** Descriptors that are open now, but for the standard ones. To be asked before anything else is opened. */
export const openDescriptors = (): readonly number[] =>
  readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > 2 && kindOf(fd) !== undefined)

const kindOf = (fd: number): 'directory' | 'file' | 'other' | undefined => {
  try {
    const status = fstatSync(fd)
    if (status.isDirectory()) return 'directory'
    return status.isFile() || status.isBlockDevice() ? 'file' : 'other'
  } catch {
    return undefined // the one by which the directory was listed
  }
}

export const descriptors = (inherited: readonly number[], { machine }: Targets): readonly Attack[] => [
  {
    row: '10',
    attempts: {
      'leave a directory that was left open, upwards': () => leaveUpwards(withKind(inherited, 'directory')),
      'read a file that was left open': () =>
        firstOf(withKind(inherited, 'file'), (fd) => readlinkSync(`/proc/self/fd/${fd}`)),
    },
    twin: [
      'open a directory itself and leave it upwards',
      () => {
        const fd = openSync('/usr/bin', 'r')
        closeSync(call('openat', fd, '..', asPlace, 0))
        closeSync(fd)
      },
    ],
  },
  {
    row: '11',
    attempts: {
      "turn a listener that was left open into a connection on the machine's network": () =>
        firstOf(inherited.filter(isInternet), (fd) => reconnect(fd, machine.addresses[0]?.[1] ?? 0)),
    },
    twin: [
      'find its own listener, a unix socket',
      () => requireThat(domainOf(listener) === addressFamily.unix, 'descriptor 3 is something else'),
    ],
  },
]

const withKind = (fds: readonly number[], kind: 'directory' | 'file'): readonly number[] =>
  fds.filter((fd) => kindOf(fd) === kind)

const firstOf = (fds: readonly number[], act: (fd: number) => unknown): unknown => {
  const [first] = fds
  if (first === undefined) throw new Refused('nothing of the kind was left open')
  return act(first)
}

/** O_PATH: whoever may not list what lies above can still go on from there by names. */
const asPlace = 0o10000000

const leaveUpwards = (fds: readonly number[]): unknown =>
  firstOf(fds, (fd) => readlinkSync(`/proc/self/fd/${call('openat', fd, '..', asPlace, 0)}`))

/** SO_DOMAIN of a socket; undefined for what is none (socket(7)). */
const domainOf = (fd: number): number | undefined => {
  const value = Buffer.alloc(4)
  const length = Buffer.from([4, 0, 0, 0])
  try {
    call('getsockopt', fd, 1, 39, value, length)
    return value.readInt32LE(0)
  } catch {
    return undefined // ENOTSOCK
  }
}

const isInternet = (fd: number): boolean =>
  [addressFamily.inet, addressFamily.inet6].some((family) => family === domainOf(fd))

/** connect(2) with AF_UNSPEC takes a listener back; it stays in the network namespace in which it was made. */
const reconnect = (fd: number, port: number): void => {
  call('connect', fd, Buffer.alloc(16), 16)
  connectTcp(fd, port)
}
