// The mounts that the kernel must report once bubblewrap has followed a list of operations: the launcher compares them with
// /proc/PID/mountinfo before the application runs. A bind is recursive, so what the machine has mounted below its source
// comes along, at the same place below its destination. Pure.
import type { MountPoint } from './mountinfo.ts'
import type { Operation } from './operations.ts'

/** Every mount point inside, `true` where it may be written. */
export const mountsAfter = (
  operations: readonly Operation[],
  machine: readonly MountPoint[],
): Readonly<Record<string, boolean>> => {
  const mounts = new Map([['/', true]])
  for (const operation of operations)
    for (const [path, isWritable] of effectOf(operation, machine)) mounts.set(path, isWritable)
  return Object.fromEntries([...mounts].sort(([one], [other]) => (one < other ? -1 : 1)))
}

type Effect = readonly (readonly [path: string, isWritable: boolean])[]

const effectOf = (operation: Operation, machine: readonly MountPoint[]): Effect => {
  switch (operation.kind) {
    case 'show':
      return bound(operation.source, operation.at, false, machine)
    case 'bind':
      return bound(operation.source, operation.at, operation.isWritable, machine)
    case 'cgroup':
      return [[operation.at, false]]
    case 'tmpfs':
      return [[operation.at, true]]
    case 'seal':
      return [[operation.at, false]]
    case 'proc':
      return [['/proc', true]]
    case 'devices':
      return devices
    case 'file':
    case 'link':
      return []
  }
}

/** What --dev mounts (bwrap(1)): device nodes of the machine that hold nothing, and pseudo terminals of its own. */
const devices: Effect = [
  ['/dev', true],
  ...['null', 'zero', 'full', 'random', 'urandom', 'tty', 'pts'].map((name) => [`/dev/${name}`, true] as const),
]

const bound = (source: string, at: string, isWritable: boolean, machine: readonly MountPoint[]): Effect => [
  [at, isWritable],
  ...machine
    .filter(({ path }) => path.startsWith(source === '/' ? '/' : `${source}/`))
    .map((mount) => [`${at}${mount.path.slice(source.length)}`, isWritable && mount.isWritable] as const),
]
