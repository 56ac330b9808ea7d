// The mounts that the kernel must report once bubblewrap has followed a list of operations: the launcher compares them with
// /proc/PID/mountinfo before the application runs. A bind is recursive, so what the machine has mounted below its source
// comes along, at the same place below its destination. Pure.
import type { Expectation } from '../adapter.ts'
import type { MountPoint } from './mountinfo.ts'
import type { Operation } from './operations.ts'

/** Every mount point inside, `true` where it may be written, and what is mounted there. */
export const mountsAfter = (
  operations: readonly Operation[],
  machine: readonly MountPoint[],
): Required<Pick<Expectation, 'mounts' | 'sources'>> => {
  const mounts = new Map<string, Mounted>([['/', { isWritable: true, source: 'tmpfs' }]])
  for (const operation of operations)
    for (const [path, mounted] of effectOf(operation, machine)) mounts.set(path, { ...mounts.get(path), ...mounted })
  const sorted = [...mounts].sort(([one], [other]) => (one < other ? -1 : 1))
  return {
    mounts: Object.fromEntries(sorted.map(([path, { isWritable }]) => [path, isWritable])),
    sources: Object.fromEntries(sorted.flatMap(([path, { source }]) => (source === undefined ? [] : [[path, source]]))),
  }
}

interface Mounted {
  readonly isWritable: boolean
  /** Left as it was where there is none. */
  readonly source?: string
}

type Effect = readonly (readonly [path: string, mounted: Mounted])[]

const effectOf = (operation: Operation, machine: readonly MountPoint[]): Effect => {
  switch (operation.kind) {
    case 'show':
      return bound(operation.source, operation.at, false, machine)
    case 'bind':
      return bound(operation.source, operation.at, operation.isWritable, machine)
    case 'cgroup':
      return [[operation.at, { isWritable: false, source: 'cgroup' }]]
    case 'tmpfs':
      return [[operation.at, { isWritable: true, source: 'tmpfs' }]]
    case 'seal':
      return [[operation.at, { isWritable: false }]]
    case 'proc':
      return [['/proc', { isWritable: true, source: 'proc' }]]
    case 'devices':
      return deviceView
    case 'file':
    case 'link':
      return []
  }
}

/** Device nodes of the machine that hold nothing, which --dev binds (bwrap(1)). */
export const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty'].map((name) => `/dev/${name}`)

/** With pseudo terminals of its own. */
const deviceView: Effect = [
  ['/dev', { isWritable: true, source: 'tmpfs' }],
  ...devices.map((path) => [path, { isWritable: true, source: path }] as const),
  ['/dev/pts', { isWritable: true, source: 'devpts' }],
]

const bound = (source: string, at: string, isWritable: boolean, machine: readonly MountPoint[]): Effect => [
  [at, { isWritable, source }],
  ...machine
    .filter(({ path }) => path.startsWith(source === '/' ? '/' : `${source}/`))
    .map(
      (mount) =>
        [
          `${at}${mount.path.slice(source.length)}`,
          { isWritable: isWritable && mount.isWritable, source: mount.path },
        ] as const,
    ),
]
