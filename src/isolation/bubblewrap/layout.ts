// What of this machine every confined instance is shown, looked up afresh for each launch: where its programs and libraries
// are, which files of /etc they need, which files of /proc give something away. Nothing here depends on a service.
// A list names what may be shown, never what is hidden: what a distribution adds to /etc tomorrow stays out of sight.
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join, resolve } from 'node:path'
import { unreachableFor } from '../unreachable.ts'
import { type MountPoint, parseMounts } from './mountinfo.ts'
import { resolversOf } from './resolvers.ts'

export interface Layout {
  /** /bin and its like: links into /usr where the machine has merged them, else directories of their own. */
  readonly roots: readonly Shown[]
  readonly etc: readonly Shown[]
  /** Paths below /proc that are bound read-only over themselves. */
  readonly procReadOnly: readonly string[]
  /** Files of /proc that cannot be opened inside. */
  readonly procMaskedFiles: readonly string[]
  /** Directories of /proc that are empty inside. */
  readonly procMaskedDirectories: readonly string[]
  /** The machine's own resolv.conf and hosts, for instances that share its network. */
  readonly resolvConf: string
  readonly hosts: string
  /** Where this machine looks names up, without what only it can reach (its own loopback). */
  readonly resolvers: readonly string[]
  /** Networks no instance with a way out may reach, this machine's own addresses among them. */
  readonly unreachable: readonly string[]
  /** Where runtimes look for their bounds: one place on version 2, one for each controller on version 1 (cgroups(7)). */
  readonly cgroups: string | Readonly<Record<'memory' | 'cpu' | 'processes', string>>
  /** Where something is mounted on this machine. */
  readonly mounts: readonly MountPoint[]
}

/** A path that is there: as a link, where it leads into what is shown anyway, or as itself. */
export interface Shown {
  readonly path: string
  readonly target?: string
}

const rootNames = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']

/**
 * What programs and libraries read of /etc wherever they run. All of it is the machine's own and readable by everybody. Each
 * costs a mount, some 70 µs of every launch, so what only administrators' tools read is left out.
 */
const etcNames = [
  ...['alternatives', 'ld.so.cache', 'crypto-policies', 'pki', 'ssl'],
  ...['localtime', 'os-release', 'mime.types', 'protocols', 'services'],
  // Each only where its program is installed. Debian's Chromium does not start without the second; without the first it, and all
  // else that draws text, looks for fonts where a library was built to look.
  ...['fonts', 'chromium.d', 'chromium'],
]

/** Debian's Java keeps java.security and its like in such a directory of /etc and does not start without it. */
const isRuntimeConfig = (name: string): boolean => /^java-\d+-openjdk$/.test(name)

/** Every version there may be. */
const runtimeConfigs = Array.from({ length: 100 }, (_, version) => `java-${version}-openjdk`)

const version1 = {
  memory: '/sys/fs/cgroup/memory',
  cpu: '/sys/fs/cgroup/cpu',
  processes: '/sys/fs/cgroup/pids',
} as const

const readOnlyNames = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger']
// Addresses of the kernel, keys, timing of other processes (the list container runtimes mask, and key-users).
const maskedNames = [
  ...['kallsyms', 'kcore', 'keys', 'key-users', 'interrupts', 'latency_stats', 'sched_debug', 'timer_list'],
  ...['timer_stats', 'acpi', 'asound', 'scsi'],
]

/** All that `readLayout` may ever show, whatever is installed later. */
export const showable: readonly string[] = [
  ...['usr', ...rootNames].map((name) => `/${name}`),
  ...[...etcNames, ...runtimeConfigs].map((name) => `/etc/${name}`),
  ...readOnlyNames.map((name) => `/proc/${name}`),
]

/** What systemd-resolved itself asks, where /etc/resolv.conf names only its stub on the loopback (systemd-resolved.service(8)). */
const behindStub = '/run/systemd/resolve/resolv.conf'

export const readLayout = (): Layout => {
  const resolvConf = textOf('/etc/resolv.conf')
  const proc = maskedNames.map((name) => `/proc/${name}`).map((path) => ({ path, kind: kindOf(path) }))
  const etc = [...etcNames, ...namesIn('/etc').filter(isRuntimeConfig)]
  return {
    roots: rootNames.map((name) => `/${name}`).flatMap(shownAt),
    etc: etc.map((name) => join('/etc', name)).flatMap(shownAt),
    procReadOnly: readOnlyNames.map((name) => `/proc/${name}`).filter((path) => kindOf(path) !== 'missing'),
    procMaskedFiles: proc.filter(({ kind }) => kind === 'file').map(({ path }) => path),
    procMaskedDirectories: proc.filter(({ kind }) => kind === 'directory').map(({ path }) => path),
    resolvConf,
    hosts: textOf('/etc/hosts'),
    // Only instances with a way out ask for these two.
    get resolvers() {
      return resolversOf([resolvConf, textOf(behindStub)])
    },
    get unreachable() {
      return unreachableFor(networkInterfaces())
    },
    cgroups: kindOf('/sys/fs/cgroup/cgroup.controllers') === 'file' ? '/sys/fs/cgroup' : version1,
    mounts: parseMounts(readFileSync('/proc/self/mountinfo', 'utf8')),
  }
}

const kindOf = (path: string): 'file' | 'directory' | 'missing' => {
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) return 'missing'
  return status.isDirectory() ? 'directory' : 'file'
}

/** A link into /usr stays a link: /etc/localtime tells the name of the time zone by where it leads. */
const shownAt = (path: string): readonly Shown[] => {
  const status = lstatSync(path, { throwIfNoEntry: false })
  if (status === undefined) return []
  if (!status.isSymbolicLink()) return [{ path }]
  if (kindOf(path) === 'missing') return []
  const target = unless(['EINVAL', 'ENOENT'], () => readlinkSync(path)) // replaced meanwhile
  return target !== undefined && resolve(path, '..', target).startsWith('/usr/') ? [{ path, target }] : [{ path }]
}

const textOf = (path: string): string => unless(['ENOENT'], () => readFileSync(path, 'utf8')) ?? ''

const namesIn = (path: string): readonly string[] => unless(['ENOENT'], () => readdirSync(path)) ?? []

/** What `read` returns; undefined where it fails with one of the codes. */
const unless = <T>(codes: readonly string[], read: () => T): T | undefined => {
  try {
    return read()
  } catch (error) {
    if (codes.includes(String((error as NodeJS.ErrnoException).code))) return undefined
    throw error
  }
}
