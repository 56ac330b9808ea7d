// Namespaces and mounts: making them, changing what one has, entering those of others; and the names of the machine.
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type Attack, firstThatWorks, NotHere, Refused } from '../attempt.ts'
import { call, makeProcess } from '../kernel.ts'
import { ownData, type Targets } from '../targets.ts'

/** Flags of clone(2) and unshare(2). */
const flags = {
  mount: 0x0002_0000,
  cgroup: 0x0200_0000,
  uts: 0x0400_0000,
  ipc: 0x0800_0000,
  user: 0x1000_0000,
  pid: 0x2000_0000,
  net: 0x4000_0000,
} as const

/** umount2(2) and mount(2). */
const detach = 2
const remountReadWrite = 32 | 4_096

export const namespaces = ({ neighbour, machine }: Targets): readonly Attack[] => [
  {
    row: '28',
    attempts: {
      'make a process in a user namespace of its own, by clone': () => makeProcess('clone', flags.user),
      'the same by clone3': () => makeProcess('clone3', flags.user),
      // A process with threads, as Node is, may not leave its user namespace (user_namespaces(7)).
      'leave its user namespace': () => leaveBy('--user'),
      'leave its user namespace for one in which it is root, with mounts of its own': () =>
        leaveBy('--user', '--map-root-user', '--mount'),
      ...Object.fromEntries(
        Object.entries(flags)
          .filter(([kind]) => kind !== 'user')
          .flatMap(([kind, flag]) => [
            [`leave its ${kind} namespace`, () => call('unshare', flag)] as const,
            [`make a process in a ${kind} namespace of its own`, () => makeProcess('clone', flag)] as const,
          ]),
      ),
    },
    twin: ['make a process', () => makeProcess('clone', 0)],
  },
  {
    row: '29',
    attempts: {
      'mount a file system in memory': () => call('mount', 'none', ownData(), 'tmpfs', 0, null),
      'mount /proc': () => call('mount', 'none', ownData(), 'proc', 0, null),
      'show a directory in another place': () => call('mount', '/usr', ownData(), null, 4_096, null),
      'lay a directory over another': () =>
        call('mount', 'none', ownData(), 'overlay', 0, 'lowerdir=/usr,upperdir=/tmp,workdir=/tmp'),
      'take the mount of its data away': () => call('umount2', ownData(), detach),
      'take the mount of /proc away': () => call('umount2', '/proc', detach),
      'make / writable': () => call('mount', null, '/', null, remountReadWrite, null),
      'make /usr writable': () => call('mount', null, '/usr', null, remountReadWrite, null),
    },
    twin: ['read what is mounted', () => void readFileSync('/proc/self/mountinfo')],
  },
  {
    row: '30',
    attempts: {
      'begin a mount': () => closeSync(call('fsopen', 'tmpfs', 0)),
      'take a copy of a mount': () => closeSync(call('open_tree', -100, '/usr', 1)),
      'move a mount': () => call('move_mount', -100, '/proc', -100, ownData(), 0),
      'change a mount': () => call('mount_setattr', -100, '/', 0, Buffer.alloc(32), 32),
      'make its data the root': () => call('pivot_root', ownData(), ownData()),
      'take its data for the root': () => call('chroot', ownData()),
    },
    twin: ['read what is mounted', () => void readFileSync('/proc/self/mountinfo')],
  },
  {
    row: '31',
    attempts: {
      ...entering('process 1', 1),
      ...entering('its neighbour', neighbour.pid),
      ...entering('the launcher', machine.processes[0] ?? 1),
    },
    twin: ['read which namespaces it is in', () => readlinkSync('/proc/self/ns/net')],
  },
  {
    row: '65',
    attempts: {
      'set the name of the machine': () => call('sethostname', hostname(), hostname().length),
      'set the domain of the machine': () => call('setdomainname', '(none)', 6),
      'set the clock': () => call('clock_settime', 0, Buffer.alloc(16)),
      'shift the clock': () => call('adjtimex', singleShot()),
    },
    twin: ['read the name of the machine', () => hostname()],
  },
]

const leaveBy = (...options: readonly string[]): void => {
  try {
    execFileSync('/usr/bin/unshare', [...options, '/bin/true'], { stdio: 'pipe' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new NotHere('there is no unshare')
    throw new Refused(error instanceof Error ? (error.message.trim().split('\n').at(-1) ?? '') : String(error))
  }
}

const entering = (who: string, pid: number): Attack['attempts'] => ({
  [`enter any namespace of ${who}`]: () => enterAny(pid),
})

/** Returns the first that could be entered. */
const enterAny = (pid: number): string =>
  firstThatWorks(readdirSync(`/proc/${pid}/ns`), (kind) => {
    const fd = openSync(join(`/proc/${pid}/ns`, kind), 'r')
    try {
      call('setns', fd, 0)
    } finally {
      closeSync(fd)
    }
  })

/** struct timex with ADJ_OFFSET_SINGLESHOT of zero: the least there is that needs the right to set the clock (adjtimex(2)). */
const singleShot = (): Buffer => {
  const buffer = Buffer.alloc(208)
  buffer.writeUInt32LE(0x8001, 0)
  return buffer
}
