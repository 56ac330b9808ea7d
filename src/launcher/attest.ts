// Whether a launch is what was planned, as the kernel reports it in /proc: looked at while the program is held, when nothing
// of the application has run, and again when it has been executed. What a program says of itself counts for nothing.
// Each check names the capability that is broken where it fails (proc(5), namespaces(7), user_namespaces(7)).
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { RunCgroup } from '../cgroups/runCgroup.ts'
import type { Attestation, Expectation, Identity, NamespaceKind } from '../isolation/adapter.ts'
import { byPoint, isMountOf, type Mount, mountsOf } from './mounts.ts'
import { isDead, namespaceOf } from './processes.ts'

/** A launch that is not what was planned; the message names the capability. */
class Unattested extends Error {
  override readonly name = 'Unattested'
}

/** What one check found, or what is wrong. */
type Finding = { readonly found: string } | { readonly wrong: string }

/** Fields of /proc/PID/status, read when the first of them is asked for and then no more: several checks look at it. */
type Status = () => ReadonlyMap<string, string>

type Check = (pid: number, status: Status) => Finding

const capabilityOf: Readonly<Record<NamespaceKind, string>> = {
  user: 'user.ns',
  pid: 'pid.private',
  mnt: 'fs.privateRoot',
  ipc: 'ipc.private',
  uts: 'uts.private',
  cgroup: 'cgroup.private',
  net: 'net.private',
}

const namespaceCheck =
  (kind: NamespaceKind): Check =>
  (pid) => {
    const inode = namespaceOf(pid, kind)
    if (inode === undefined) return { wrong: `its ${kind} namespace cannot be looked at` }
    if (inode === namespaceOf(process.pid, kind)) return { wrong: `it shares the ${kind} namespace of the launcher` }
    return { found: `${kind}:[${inode}]` }
  }

/** Inside is one id, and it is the tenant's outside; the kernel shows the latter as whoever reads it sees it. */
const idMapCheck =
  (file: 'uid_map' | 'gid_map', inner: number, outer: number): Check =>
  (pid) => {
    const found = readFileSync(`/proc/${pid}/${file}`, 'utf8').trim().replace(/\s+/g, ' ')
    const expected = `${inner} ${outer} 1`
    return found === expected ? { found } : { wrong: `${file} is "${found}" and not "${expected}"` }
  }

const statusOf = (pid: number): Status => {
  let fields: ReadonlyMap<string, string> | undefined
  return () => {
    fields ??= new Map(
      readFileSync(`/proc/${pid}/status`, 'utf8')
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
    )
    return fields
  }
}

const capabilitySets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']

const noCapabilities: Check = (_pid, status) => {
  const held = capabilitySets.find((set) => !/^0+$/.test(status().get(set) ?? ''))
  return held === undefined
    ? { found: capabilitySets.map((set) => `${set} 0`).join(', ') }
    : { wrong: `${held} is ${status().get(held)}` }
}

const statusCheck =
  (field: string, expected: string): Check =>
  (_pid, status) => {
    const found = status().get(field) ?? 'not reported'
    return found === expected ? { found: `${field} ${found}` } : { wrong: `${field} is "${found}", not "${expected}"` }
  }

/** The limit is one byte: see disableCoreDumps. */
const noCoreFile: Check = (pid) => {
  const found = /^Max core file size\s+(\d+|unlimited)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1]
  return found === '1' ? { found: 'a core file of at most 1 byte' } : { wrong: `a core file may have ${found} bytes` }
}

/** One that was not moved is bounded by nothing, however its cgroup is set. */
const cgroupCheck =
  (cgroup: RunCgroup): Check =>
  (pid) => {
    const found = cgroup.placeOf(pid)
    return found === undefined ? { wrong: 'it is not in the cgroup that bounds it' } : { found }
  }

/** Only the topmost mount of a point can be reached, and mountinfo lists it last. */
const mountCheck =
  ({ mounts: expected, sources = {} }: Expectation, roots: readonly string[]): Check =>
  (pid) => {
    const mounts = mountsOf(pid)
    const found = new Map(mounts.map(({ point, isWritable }) => [point, isWritable]))
    for (const [point, isWritable] of found) {
      if (!Object.hasOwn(expected, point)) return { wrong: `"${point}" is mounted and was not planned` }
      if (isWritable && expected[point] !== true) return { wrong: `"${point}" can be written` }
    }
    const missing = Object.keys(expected).find((point) => !found.has(point))
    if (missing !== undefined) return { wrong: `"${missing}" is not mounted` }
    const strange = strangeMount(mounts, sources, roots)
    if (strange !== undefined) return { wrong: strange }
    const hidden = mounts.find((mount) => isHidden(mount, mounts))
    if (hidden !== undefined) return { wrong: `"${hidden.point}" is hidden by what is mounted over it` }
    return {
      found: `${found.size} mounts, writable: ${[...found].flatMap(([at, may]) => (may ? [at] : [])).join(' ')}`,
    }
  }

const strangeMount = (
  mounts: readonly Mount[],
  sources: Readonly<Record<string, string>>,
  roots: readonly string[],
): string | undefined => {
  const machine = byPoint(mountsOf(process.pid))
  for (const [point, mount] of byPoint(mounts)) {
    // Not every adapter says; where a floor asks for it, it is there.
    const source = Object.hasOwn(sources, point) ? sources[point] : undefined
    if (source !== undefined && !isMountOf(mount, source, { machine, roots }))
      return `"${point}" shows "${mount.root}" of ${mount.type} ${mount.device}, and not "${source}"`
  }
  return undefined
}

/**
 * What is mounted a second time at the same point lies on the first, and takes what else lies on that out of sight: a planned
 * cover of a file, say. An automount point alone, on which nothing else lies, is no such case.
 */
const isHidden = ({ id, parent, point }: Mount, mounts: readonly Mount[]): boolean => {
  const below = mounts.find((each) => each.id === parent)
  return (
    below !== undefined &&
    mounts.some(
      (each) => each.parent === parent && each.id !== id && each.point === below.point && point !== below.point,
    )
  )
}

interface OpenDescriptor {
  readonly number: number
  /** What it leads to: 'pipe:[123]', '/memfd:tenement (deleted)', '/dev/null'. */
  readonly leadsTo: string
  /** The mount it was opened on. */
  readonly mountId: string
}

const descriptorsOf = (pid: number): readonly OpenDescriptor[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      const link = readlinkSync(`/proc/${pid}/fd/${name}`)
      const info = readFileSync(`/proc/${pid}/fdinfo/${name}`, 'utf8')
      // Every eventfd has the same link; its number tells bubblewrap's own from those a runtime opens by the dozen.
      const eventId = /^eventfd-id:\s*(\d+)/m.exec(info)?.[1]
      const leadsTo = eventId === undefined ? link : `${link} ${eventId}`
      return [{ number: Number(name), leadsTo, mountId: /^mnt_id:\s*(\d+)/m.exec(info)?.[1] ?? '' }]
    } catch {
      return [] // closed meanwhile by the application, which runs by now
    }
  })

/** What the held program has open: what is meant for the application, and what is not. */
export interface HeldDescriptors {
  /** Where a descriptor leads, and on which mount. */
  readonly given: ReadonlySet<string>
  /** Where a descriptor leads. */
  readonly control: ReadonlySet<string>
}

/** Whether what a descriptor leads to tells it from all others: a path, or an object of the kernel without a number, does not. */
const isOneOfAKind = (leadsTo: string): boolean => /^(pipe|socket):|^\/memfd:|eventfd\] \d/.test(leadsTo)

const placeOf = ({ leadsTo, mountId }: OpenDescriptor): string => `${mountId} ${leadsTo}`

/**
 * The application may have opened more by the time it is looked at, and copied what it was given: a shell does so with its
 * standard input. What it inherited and should not have is known by what it leads to: something that the held program had open
 * for itself, or a file outside of the application's own mounts that it was not given.
 */
const descriptorCheck =
  (expected: readonly number[], { control, given }: HeldDescriptors): Check =>
  (pid) => {
    const ownMounts = new Set(mountsOf(pid).map(({ id }) => id))
    const further = descriptorsOf(pid).filter(({ number }) => !expected.includes(number))
    const leaked = further
      .filter((each) => !given.has(placeOf(each)))
      .find(
        ({ leadsTo, mountId }) =>
          control.has(leadsTo) || (leadsTo.startsWith('/') && !isOwn(leadsTo, mountId, ownMounts)),
      )
    if (leaked !== undefined) return { wrong: `it inherited descriptor ${leaked.number}, ${leaked.leadsTo}` }
    return { found: `descriptors ${expected.join(' ')}` }
  }

/** Files in memory, and those that devices make up, lie on mounts of the kernel's own, which no mountinfo lists. */
const isOwn = (leadsTo: string, mountId: string, ownMounts: ReadonlySet<string>): boolean =>
  ownMounts.has(mountId) ||
  leadsTo.startsWith('/memfd:') ||
  leadsTo.startsWith('/dev/zero') ||
  leadsTo.startsWith('/SYSV')

/** Runs every check; throws Unattested at the first that fails or cannot be made. */
const inspect = (pid: number, checks: readonly (readonly [string, Check])[]): Readonly<Record<string, string>> => {
  const status = statusOf(pid)
  return Object.fromEntries(
    checks.map(([capability, check]) => [capability, foundBy(capability, () => check(pid, status))]),
  )
}

/** The kernel hides what a process has open from its own user where the file of its program cannot be read (ptrace(2)). */
const hiddenProgram =
  'the kernel hides its descriptors, as it does for a program whose file cannot be read; chmod a+r the program, or start tenement as root'

const foundBy = (capability: string, check: () => Finding): string => {
  let finding: Finding
  try {
    finding = check()
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'EACCES' ? hiddenProgram : String(error)
    throw new Unattested(`"${capability}" could not be attested: ${reason}`, { cause: error })
  }
  if ('wrong' in finding) throw new Unattested(`"${capability}" does not hold for this launch: ${finding.wrong}`)
  return finding.found
}

const outerIdentity = (identity: Identity | undefined): Identity =>
  identity ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

interface Surroundings {
  readonly identity: Identity | undefined
  readonly cgroup: RunCgroup | undefined
  /** Paths that may be symlinks, or lie behind some: they are the operator's. */
  readonly roots: readonly string[]
}

/** Of the namespace's first process, while it is held. */
export const attestHeld = (
  first: number,
  expect: Expectation,
  { identity, cgroup, roots }: Surroundings,
): Attestation['found'] => {
  const { uid, gid } = outerIdentity(identity)
  return inspect(first, [
    ...expect.namespaces.map((kind) => [capabilityOf[kind], namespaceCheck(kind)] as const),
    ['user.idMap', idMapCheck('uid_map', expect.innerUid, uid)],
    ['user.groupMap', idMapCheck('gid_map', expect.innerGid, gid)],
    // Without root nobody may empty the list of further groups (setgroups(2)); inside they are no groups of anybody.
    ...(identity === undefined ? [] : [['user.perTenantUid', statusCheck('Groups', '')] as const]),
    ['caps.none', noCapabilities],
    ['priv.noNew', statusCheck('NoNewPrivs', '1')],
    ['core.none', noCoreFile],
    ['fs.readOnlyRoot', mountCheck(expect, roots)],
    ...(cgroup === undefined ? [] : [['res.cgroup', cgroupCheck(cgroup)] as const]),
  ])
}

export const descriptorsHeld = (first: number, { descriptors }: Expectation): HeldDescriptors => {
  const all = descriptorsOf(first)
  return {
    given: new Set(all.filter(({ number }) => descriptors.includes(number)).map(placeOf)),
    control: new Set(
      all
        .filter(({ number, leadsTo }) => !descriptors.includes(number) && isOneOfAKind(leadsTo))
        .map(({ leadsTo }) => leadsTo),
    ),
  }
}

/** Of the application, once it has been executed. Empty when it has ended meanwhile: nothing is left to look at. */
export const attestExecuted = (
  application: number,
  expect: Expectation,
  held: HeldDescriptors,
): Attestation['found'] => {
  try {
    return inspect(application, [
      ...(expect.isFiltered ? [['syscalls.filtered', statusCheck('Seccomp', '2')] as const] : []),
      ['fd.clean', descriptorCheck(expect.descriptors, held)],
    ])
  } catch (error) {
    // Only where nothing could be read: what was found wrong stays wrong.
    if (error instanceof Unattested && error.cause !== undefined && isDead(application)) return {}
    throw error
  }
}
