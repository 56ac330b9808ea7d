// Which cgroup hierarchies this process can see, and which cgroup it is in itself. Pure: text of /proc in, values out.
// A mount may show a part of a hierarchy only (in a container its own), so a path as /proc/PID/cgroup writes it is no path in
// the file system: the two are joined by what mountinfo says is mounted where, never by a well-known place.
import { join, posix } from 'node:path'

/** One mounted hierarchy (cgroups(7)). */
export interface Hierarchy {
  readonly version: 1 | 2
  /** As the second field of /proc/PID/cgroup writes it: 'memory', 'cpu,cpuacct', '' for version 2. */
  readonly key: string
  readonly mountPoint: string
  /** The cgroup that the mount shows at its top, as /proc/PID/cgroup writes it. */
  readonly top: string
  /** The cgroup of the process that reads, written in the same way. */
  readonly own: string
}

/** Each line of /proc/PID/cgroup: the controllers that name a hierarchy → the path of the cgroup in it. */
export const membershipsIn = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .split('\n')
      .map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line))
      .flatMap((match) => (match === null ? [] : [[match[1] ?? '', match[2] ?? '']])),
  )

/** Spaces and backslashes in a path are written as octal numbers (proc(5)). */
const withoutEscapes = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

/** A cgroup outside of what a cgroup namespace shows is written with "/.." (cgroup_namespaces(7)): nothing here is above it. */
const isWithin = (top: string, path: string): boolean =>
  !path.split('/').includes('..') && posix.relative(top, path).split('/')[0] !== '..'

/** Fields of /proc/self/mountinfo (proc(5)): a dash parts those of the mount from those of its file system. */
const mountsIn = (text: string) =>
  text.split('\n').flatMap((line) => {
    const fields = line.split(' ')
    const dash = fields.indexOf('-')
    const [top = '', mountPoint = ''] = fields.slice(3, 5).map(withoutEscapes)
    const [type = '', , options = ''] = dash === -1 ? [] : fields.slice(dash + 1)
    if (type !== 'cgroup' && type !== 'cgroup2') return []
    return [{ version: type === 'cgroup' ? (1 as const) : (2 as const), top, mountPoint, options: options.split(',') }]
  })

/** The hierarchies mounted, each once, where the mount shows the cgroup of the process itself. */
export const hierarchiesIn = (mountinfo: string, selfCgroup: string): readonly Hierarchy[] => {
  const found = new Map<string, Hierarchy>()
  for (const [key, own] of membershipsIn(selfCgroup))
    for (const { version, top, mountPoint, options } of mountsIn(mountinfo)) {
      const isSame =
        key === '' ? version === 2 : version === 1 && key.split(',').every((each) => options.includes(each))
      if (isSame && isWithin(top, own) && !found.has(key)) found.set(key, { version, key, mountPoint, top, own })
    }
  return [...found.values()]
}

/** Whether what is mounted in a cgroup namespace still keeps the bounds of that namespace's own cgroup (cgroup-v2, "nsdelegate"). */
export const isNsDelegated = (mountinfo: string): boolean =>
  mountsIn(mountinfo).some(({ version, options }) => version === 2 && options.includes('nsdelegate'))

/** The directory of the cgroup that /proc/PID/cgroup writes as `path`. */
export const directoryOf = ({ mountPoint, top }: Hierarchy, path: string): string =>
  join(mountPoint, posix.relative(top, path))

/** What /proc/PID/cgroup writes for a process in `directory`. */
export const pathOf = ({ mountPoint, top }: Hierarchy, directory: string): string =>
  posix.join(top, posix.relative(mountPoint, directory))
