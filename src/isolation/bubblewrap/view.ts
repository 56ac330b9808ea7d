// What a confined instance sees, as a list of operations: the order of bubblewrap's options, each with what it is for. Pure.
// Later operations cover earlier ones, so what is closed comes after what it closes, and the data comes last of all binds.
import type { Resources } from '../adapter.ts'
import type { EtcFile } from './etcFiles.ts'
import type { Layout, Shown } from './layout.ts'
import type { Operation } from './operations.ts'
import type { Place } from './places.ts'

/** Where programs keep shared memory; PostgreSQL and Chromium need some tens of megabytes. It counts as the instance's memory. */
const sharedMemoryBytes = 64 * 1024 ** 2
const runBytes = 1024 ** 2
/** The most one secret may hold. */
const secretBytes = 1024 ** 2

export interface ViewInputs {
  readonly layout: Layout
  readonly etc: readonly EtcFile[]
  /** Bytes of /tmp. */
  readonly tmpBytes: number
  readonly secrets: readonly string[]
  readonly places: readonly Place[]
  /** The bounds its cgroup keeps. */
  readonly resources: Resources
}

export const viewOf = ({ layout, etc, tmpBytes, secrets, places, resources }: ViewInputs): readonly Operation[] => [
  { kind: 'show', source: '/usr', at: '/usr' },
  ...[...layout.roots, ...layout.etc].map(shown),
  ...etc.map(({ path, content }) => fileOf(path, content)),
  ...procView(layout),
  { kind: 'devices' },
  { kind: 'tmpfs', at: '/dev/shm', mode: 0o1777, bytes: sharedMemoryBytes },
  { kind: 'seal', at: '/dev' },
  { kind: 'tmpfs', at: '/tmp', mode: 0o1777, bytes: tmpBytes },
  { kind: 'link', at: '/var/tmp', target: '../tmp' },
  { kind: 'tmpfs', at: '/run', mode: 0o755, bytes: runBytes },
  ...secretsView(secrets),
  ...cgroupView(layout, resources),
  ...places,
  { kind: 'seal', at: '/' },
  // Last of all: once bubblewrap has closed this descriptor, everything above is done.
  { kind: 'file', at: '/run/.prepared', mode: 0o444, from: { kind: 'prepared' } },
]

const shown = ({ path, target }: Shown): Operation =>
  target === undefined ? { kind: 'show', source: path, at: path } : { kind: 'link', at: path, target }

const fileOf = (at: string, content: string): Operation => ({
  kind: 'file',
  at,
  mode: 0o444,
  from: { kind: 'content', content: Buffer.from(content, 'utf8') },
})

/**
 * A new /proc of its own process namespace still holds files of the whole machine. bubblewrap covers the writable ones only
 * where the caller could write them, so each is bound read-only here. /dev/null, bound without the right to use devices,
 * answers EACCES to whoever opens it.
 */
const procView = ({ procReadOnly, procMaskedFiles, procMaskedDirectories }: Layout): readonly Operation[] => [
  { kind: 'proc' },
  ...procReadOnly.map((path): Operation => ({ kind: 'show', source: path, at: path })),
  ...procMaskedFiles.map((path): Operation => ({ kind: 'show', source: '/dev/null', at: path })),
  ...procMaskedDirectories.flatMap((at): readonly Operation[] => [
    { kind: 'tmpfs', at, mode: 0o555, bytes: 4_096 },
    { kind: 'seal', at },
  ]),
]

const boundNames = [
  ['memory', 'memoryBytes'],
  ['cpu', 'cpus'],
  ['processes', 'processes'],
] as const

/**
 * V8, the JVM and others size themselves by what they read here; without it, by the machine, and are killed for what they then
 * take. On version 1 each controller has a directory of its own.
 */
const cgroupView = ({ cgroups }: Layout, resources: Resources): readonly Operation[] => {
  const bounds = boundNames.flatMap(([bound, name]) => (resources[name] === undefined ? [] : [bound]))
  if (typeof cgroups === 'string') return bounds.slice(0, 1).map((bound) => ({ kind: 'cgroup', bound, at: cgroups }))
  return bounds.map((bound) => ({ kind: 'cgroup', bound, at: cgroups[bound] }))
}

/** A file system of their own, so that the instance can neither change them nor move them aside and put others there. */
const secretsView = (names: readonly string[]): readonly Operation[] =>
  names.length === 0
    ? []
    : [
        { kind: 'tmpfs', at: '/run/secrets', mode: 0o500, bytes: names.length * secretBytes },
        ...names.map(
          (name): Operation => ({
            kind: 'file',
            at: `/run/secrets/${name}`,
            mode: 0o400,
            from: { kind: 'secret', name },
          }),
        ),
        { kind: 'seal', at: '/run/secrets' },
      ]
