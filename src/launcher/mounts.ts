// What is mounted in the view of a process, and what each mount shows, as /proc/PID/mountinfo tells (proc(5)). The file system
// (major:minor) and the place in it name what a bind leads to, whatever path it was asked for by; the kernel writes both, and no
// symlink a tenant planted changes them.
import { readFileSync, realpathSync } from 'node:fs'
import { posix } from 'node:path'
import { isBelow } from './safePath.ts'

export interface Mount {
  readonly id: string
  /** The mount on which it lies. */
  readonly parent: string
  /** Number of the file system, major:minor, and the place in it that is mounted. */
  readonly device: string
  readonly root: string
  readonly point: string
  readonly isWritable: boolean
  /** 'tmpfs', 'ext4' */
  readonly type: string
  /** What was mounted, in the words of whoever did: '/dev/sda1' */
  readonly source: string
}

/** In the order in which the kernel lists them: of several at one point only the last can be reached. */
export const mountsOf = (pid: number): readonly Mount[] =>
  readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trim().split('\n').map(parseMount)

const parseMount = (line: string): Mount => {
  const fields = line.split(' ')
  const [id = '', parent = '', device = '', root = '', point = '', options = ''] = fields
  // Optional fields lie between, ended by a dash of their own.
  const [type = '', source = ''] = fields.slice(fields.indexOf('-', 6) + 1)
  const isWritable = options.split(',').includes('rw')
  const places = { root: unescapePath(root), point: unescapePath(point), source: unescapePath(source) }
  return { id, parent, device, ...places, isWritable, type }
}

/** A space in a path is written \040. */
const unescapePath = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

/** The mounts that can be reached, by their points. */
export type Mounts = ReadonlyMap<string, Mount>

export const byPoint = (mounts: readonly Mount[]): Mounts => new Map(mounts.map((mount) => [mount.point, mount]))

/** The mount on which a path without symlinks lies. */
export const mountUnder = (path: string, mounts: Mounts): Mount | undefined => {
  for (let place = path; ; place = posix.dirname(place)) {
    const found = mounts.get(place)
    if (found !== undefined || place === '/' || place === '.') return found
  }
}

const isBindOf = (mount: Mount, path: string, machine: Mounts): boolean => {
  const base = mountUnder(path, machine)
  if (base === undefined || mount.device !== base.device) return false
  return mount.root === posix.join(base.root, path.slice(base.point === '/' ? 0 : base.point.length))
}

/** The path with the symlinks resolved that lead to the root below which it lies; what is below one may be a tenant's to plant. */
const resolveRoot = (path: string, roots: readonly string[]): string => {
  const root = roots.find((each) => isBelow(each, path))
  return root === undefined ? path : posix.join(realpathSync(root), path.slice(root.length))
}

/** Whether a mount is what was planned: a bind of the path `source`, or a file system of this type. `machine`: the launcher's own mounts. */
export const isMountOf = (
  mount: Mount,
  source: string,
  { machine, roots }: { readonly machine: Mounts; readonly roots: readonly string[] },
): boolean => {
  if (!source.startsWith('/')) return mount.type === source || (source === 'cgroup' && mount.type === 'cgroup2')
  return isBindOf(mount, source, machine) || isBindOf(mount, resolveRoot(source, roots), machine)
}
