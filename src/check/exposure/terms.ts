// What a score is made of: every way in which an instance may be exposed, what it weighs, and why that much. Weights are relative to
// one another: the score is their share of the sum of all, from 0 to 10, as `systemd-analyze security` does it. A promise that is
// in no term exposes nobody ("restart.survives" is about being there, not about being open).
import type { CapabilityName } from '../../isolation/capabilities.ts'
import { type Badness, onNetwork, openKernel, several, unbounded, wideness, without } from './badness.ts'
import type { Facts } from './facts.ts'

export interface Term {
  readonly weight: number
  /** What an instance can do where it counts. */
  readonly exposes: string
  /** Why it weighs what it weighs. */
  readonly because: string
  readonly badness: Badness
  /** The promises that close it; empty where none does. */
  readonly promises: readonly CapabilityName[]
  /** What to write where the isolation makes the promises already; `key` spells a key of the service out. */
  readonly fix?: (key: (name: string) => string, facts: Facts) => string | undefined
  /** What in particular, of this service. */
  readonly detail?: (facts: Facts) => string
}

/** A promise that closes what its absence opens, and that no key of a service asks for. */
const promised = (name: CapabilityName, weight: number, exposes: string, because: string): Term => ({
  ...{ weight, exposes, because, promises: [name], badness: without(name) },
})

const toNetwork = (name: string) => (key: (name: string) => string) => `set ${key('network')} to "${name}"`

/** Unless it is written already, and the promise behind it is weak. */
const toBound =
  (name: string, limit: keyof Facts['limits'], example: string): NonNullable<Term['fix']> =>
  (key, { limits }) =>
    limits[limit] === undefined ? `set ${key(name)}, such as ${example}` : undefined

export const terms = {
  'fs.privateRoot': promised(
    'fs.privateRoot',
    110,
    'finds the files of this machine',
    'what everybody may read is most of a machine: its configuration, its programs, the code of others',
  ),
  'fs.readOnlyRoot': promised(
    'fs.readOnlyRoot',
    60,
    'may change files and settings outside of its own, where their permissions let it',
    'what is changed outside outlives the instance and meets others',
  ),
  'fs.privateTmp': {
    ...promised('fs.privateTmp', 10, 'shares /tmp', 'names in /tmp can be guessed, and filling it is felt by all'),
  },
  'fs.noHostSymlink': promised(
    'fs.noHostSymlink',
    20,
    'may lead tenement elsewhere by symbolic links',
    'what tenement does for a tenant it must not do to another',
  ),
  read: {
    weight: 25,
    exposes: 'may read beyond its folder and data',
    because: 'every path shown may hold what was not meant for it, the more the nearer to the root',
    // What it may write it may read.
    badness: ({ read, write }) => wideness([...read, ...write]),
    promises: [],
    fix: (key, { read }) =>
      `take what it can do without out of ${key(read.length > 0 ? 'read' : 'write')}, or grant a deeper folder`,
    detail: ({ read, write }) => [...read, ...write].join(', '),
  },
  write: {
    weight: 60,
    exposes: 'may write beyond its data',
    because:
      'all instances of the service write there, so one reaches another by it, and what lies there can be changed',
    badness: ({ write }) => wideness(write),
    promises: [],
    fix: (key) => `take what it can do without out of ${key('write')}, or grant a deeper folder`,
    detail: ({ write }) => write.join(', '),
  },
  secrets: {
    weight: 20,
    exposes: 'holds secrets that every instance of the service reads',
    because: 'who takes over one instance has what all of them share; each further file counts half of the one before',
    badness: (facts) => several(facts.secrets) * (0.5 + 0.5 * without('fs.secrets')(facts)),
    promises: [],
    fix: (key) => `take what it can do without out of ${key('secrets')}`,
    detail: ({ secrets }) => `${secrets} file${secrets === 1 ? '' : 's'}`,
  },
  'user.perTenantUid': promised(
    'user.perTenantUid',
    120,
    'shares its uid with others',
    'the last wall: it stands when every other one has fallen, and the kernel asks for it everywhere',
  ),
  'pid.private': promised(
    'pid.private',
    50,
    'sees the processes of others',
    'command lines, and with the same uid memory, environment and signals',
  ),
  'ipc.private': promised(
    'ipc.private',
    20,
    'meets others in shared memory, semaphores and message queues',
    'objects whose permissions many programs leave open',
  ),
  'uts.private': promised(
    'uts.private',
    5,
    'sees the name of this machine',
    'a name tells where one is, and little more',
  ),
  'cgroup.private': promised(
    'cgroup.private',
    15,
    'sees the cgroups of others',
    'names and use of what else runs here; with the same uid, their bounds',
  ),
  'user.ns': promised(
    'user.ns',
    20,
    'finds the users of this machine',
    'a uid that exists only inside can become nobody outside',
  ),
  'user.noNestedNs': promised(
    'user.noNestedNs',
    40,
    'may be able to make namespaces of its own',
    'inside them it holds capabilities, and most faults of the kernel that gave root in recent years began there',
  ),
  'priv.noNew': promised(
    'priv.noNew',
    40,
    'may run programs that gain privileges',
    'each setuid program of the machine is a way to root that needs one fault',
  ),
  'caps.none': promised(
    'caps.none',
    40,
    'is not shown to hold no capability of the kernel',
    'one of them is often as good as root',
  ),
  'fd.clean': promised(
    'fd.clean',
    20,
    'may inherit descriptors',
    'a descriptor of the machine passes every wall (CVE-2024-21626)',
  ),
  'env.clean': promised(
    'env.clean',
    20,
    'may find more in its environment than is declared',
    'tokens of whoever started tenement are usual guests there',
  ),
  'tty.none': promised('tty.none', 5, 'may have a terminal', 'what it types there somebody else executes'),
  'core.none': promised('core.none', 5, 'may leave its memory on disk', 'secrets outlive a crash in a file'),
  privileged: {
    weight: 60,
    exposes: 'is started by a plug-in whose programs begin as root',
    because: 'until it has confined itself the plug-in is trusted with the whole machine',
    badness: ({ startsAsRoot }) => (startsAsRoot ? 1 : 0),
    promises: [],
    fix: (key) => `set ${key('isolation')} to one that does without privileged = true`,
  },
  'net.private': {
    weight: 40,
    exposes: 'shares addresses and ports with this machine',
    because: 'it can take the port of another and be taken for it',
    badness: onNetwork({ private: ['net.private'], internet: ['net.private'] }),
    promises: ['net.private'],
    fix: toNetwork('private'),
  },
  'net.noLoopback': {
    weight: 50,
    exposes: 'reaches what listens on this machine',
    because: 'databases and panels on 127.0.0.1 often ask nobody who they are',
    badness: onNetwork({
      private: ['net.noLoopback', 'net.private', 'net.egress'],
      internet: ['net.noLoopback', 'net.private', 'net.egress'],
    }),
    promises: ['net.noLoopback', 'net.private', 'net.egress'],
    fix: toNetwork('private'),
  },
  'net.noMetadata': {
    weight: 40,
    exposes: 'reaches the metadata service of a cloud',
    because: 'it hands out credentials of the machine to whoever asks from it',
    badness: onNetwork({
      private: ['net.noMetadata', 'net.egress', 'net.private'],
      internet: ['net.noMetadata', 'net.egress'],
    }),
    promises: ['net.noMetadata', 'net.egress', 'net.private'],
    fix: toNetwork('private'),
  },
  'net.noNeighbours': {
    weight: 20,
    exposes: 'reaches the private networks around this machine',
    because: 'what stands behind the same firewall trusts this machine',
    badness: onNetwork({ private: ['net.private', 'net.egress'], internet: ['net.egress'] }),
    promises: ['net.egress', 'net.private'],
    fix: toNetwork('private'),
  },
  'net.wayOut': {
    weight: 25,
    exposes: 'reaches the internet',
    because: 'what it learns it can send away, and what attacks others comes from your address',
    badness: onNetwork({ private: ['net.private'], internet: [] }),
    promises: ['net.private'],
    fix: toNetwork('private'),
  },
  'uds.abstractPrivate': {
    weight: 10,
    exposes: 'reaches abstract unix sockets of others',
    because: 'they have no permissions; desktops and container runtimes have used them',
    badness: onNetwork({
      private: ['uds.abstractPrivate', 'net.private'],
      internet: ['uds.abstractPrivate', 'net.private'],
    }),
    promises: ['uds.abstractPrivate', 'net.private'],
    fix: toNetwork('private'),
  },
  'syscalls.filtered': {
    weight: 60,
    exposes: 'can make every system call',
    because: 'a fault of the kernel is reached by calls that no server needs',
    badness: (facts) => (facts.surface === undefined ? 1 : without('syscalls.filtered')(facts)),
    promises: ['syscalls.filtered'],
    fix: (key) => `set ${key('seccomp')} to "default"`,
  },
  'syscalls.surface': {
    weight: 60,
    exposes: 'has more of the kernel open than it is likely to need',
    because:
      'each dangerous call that a profile allows has a record of faults, and new calls are invented that no list names',
    badness: openKernel,
    promises: ['syscalls.filtered'],
    fix: (key) => `set ${key('seccomp')} to "strict", or to what "tenement trace" proposes`,
    detail: ({ surface }) =>
      surface === undefined
        ? 'no profile'
        : `${surface.dangers} of ${surface.ofDangers} dangerous calls${surface.allowsOthers ? ', and all that are not named' : ''}`,
  },
  'abi.nativeOnly': promised(
    'abi.nativeOnly',
    20,
    'may call the kernel by another ABI',
    'the calls of 32 bits are tried less and pass many filters',
  ),
  'res.memory': {
    weight: 30,
    exposes: 'may use all memory',
    because: 'the kernel then ends processes of others too',
    badness: unbounded('res.memory', 'memoryBytes'),
    promises: ['res.memory'],
    fix: toBound('memory_max', 'memoryBytes', '"256MB"'),
  },
  'res.pids': {
    weight: 20,
    exposes: 'may start any number of processes',
    because: 'without free process numbers nobody on the machine starts anything',
    badness: unbounded('res.pids', 'processes'),
    promises: ['res.pids'],
    fix: toBound('pids_max', 'processes', '256'),
  },
  'res.cpu': {
    weight: 15,
    exposes: 'may use all processors',
    because: 'others become slow, not broken',
    badness: unbounded('res.cpu', 'cpus', 'cpuWeight'),
    promises: ['res.cpu'],
    fix: toBound('cpu_max', 'cpus', '1'),
  },
  'res.files': {
    weight: 5,
    exposes: 'may open as many files as the machine lets any program',
    because: 'the machine has a bound of its own',
    badness: unbounded('res.files', 'openFiles'),
    promises: ['res.files'],
    fix: toBound('files_max', 'openFiles', '1024'),
  },
  'disk.quota': {
    weight: 20,
    exposes: 'may fill the disk',
    because: 'a full disk stops all who write, databases first',
    badness: unbounded('disk.quota', 'storageBytes'),
    promises: ['disk.quota'],
    fix: toBound('storage_max', 'storageBytes', '"1GB"'),
  },
  'kill.atomic': promised(
    'kill.atomic',
    10,
    'may leave processes behind when it ends',
    'what is left acts on with nobody watching',
  ),
  'launch.attested': promised(
    'launch.attested',
    20,
    'runs without anybody having asked the kernel whether it is confined',
    'a confinement that silently is none has been the fault of many tools',
  ),
  accept: {
    weight: 10,
    exposes: 'would go without further promises without a word',
    because: 'what is accepted is not told any more when the machine changes',
    badness: ({ accepted }) => several(accepted),
    promises: [],
    fix: (key) => `take what is not lost here out of ${key('accept')}`,
  },
} as const satisfies Readonly<Record<string, Term>>

export type TermName = keyof typeof terms
