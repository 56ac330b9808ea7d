// The vocabulary of promises an adapter can make: each with its sentence, the keys of [service.X] that ask for it, and the rows
// of the attack corpus that prove it. A capability is true on every machine; whether this machine can keep it is the adapter's
// probe. What no key asks for is never required by a config alone; an adapter requires it of the machine by its `needs`.

/** A key of [service.X] that asks for a promise: with any value, or with this one alone. */
export interface Asking {
  readonly key:
    | 'network'
    | 'read'
    | 'write'
    | 'secrets'
    | 'seccomp'
    | 'memory_max'
    | 'cpu_max'
    | 'cpu_weight'
    | 'pids_max'
    | 'files_max'
    | 'tmp_size'
    | 'storage_max'
  readonly value?: string
}

/** What `accept` may hold: words for losses a person can judge. What is not among them is never given up. */
export const acceptableLosses = ['shared-uid', 'no-memory-limit', 'no-pids-limit', 'no-cpu-limit'] as const

export type AcceptableLoss = (typeof acceptableLosses)[number]

export interface Capability {
  /** What holds for an instance when the adapter makes this promise. */
  readonly promise: string
  readonly askedBy: readonly Asking[]
  /** Numbers of the attacks that fail against an instance with this promise. */
  readonly proofs: readonly number[]
  /** The word in `accept` by which a service runs all the same where the machine cannot keep it. */
  readonly acceptedAs?: AcceptableLoss
}

const withKeys = (...keys: readonly Asking['key'][]): readonly Asking[] => keys.map((key) => ({ key }))
const withNetworks = (...networks: readonly string[]): readonly Asking[] =>
  networks.map((value) => ({ key: 'network', value }))

const all = {
  'fs.privateRoot': {
    promise: 'it finds only the files it was granted',
    askedBy: withKeys('read', 'write'),
    proofs: [3, 4, 5, 14, 16, 23],
  },
  'fs.readOnlyRoot': {
    promise: 'it can change none but its own files, nor any setting of the kernel',
    askedBy: [],
    proofs: [1, 2, 44, 74, 75],
  },
  'fs.privateTmp': {
    promise: 'it has a /tmp of its own, of bounded size',
    askedBy: withKeys('tmp_size'),
    proofs: [50],
  },
  'fs.noHostSymlink': {
    promise: 'no symbolic link it makes leads tenement to another file',
    askedBy: [],
    proofs: [17, 18, 19, 20, 21, 22],
  },
  'fs.secrets': {
    promise: 'its secrets are files that only it can read, in neither its environment nor its arguments',
    askedBy: withKeys('secrets'),
    proofs: [8, 9],
  },
  'pid.private': { promise: 'it sees no process but its own', askedBy: [], proofs: [6, 7, 26, 27] },
  'ipc.private': {
    promise: 'it shares no System V IPC object, POSIX message queue or shared memory with anybody',
    askedBy: [],
    proofs: [66],
  },
  'uts.private': { promise: 'its host name is its own', askedBy: [], proofs: [65] },
  'cgroup.private': {
    promise: 'it sees no cgroup but its own, and can change none',
    askedBy: [],
    proofs: [44, 45],
  },
  'user.ns': { promise: 'there is one uid in it, and no user of the machine', askedBy: [], proofs: [29, 41] },
  'user.perTenantUid': {
    promise: 'it runs as a uid no other instance has',
    askedBy: [],
    proofs: [4, 6, 7, 26, 27],
    acceptedAs: 'shared-uid',
  },
  'user.noNestedNs': { promise: 'it cannot make namespaces of its own', askedBy: [], proofs: [28] },
  'priv.noNew': { promise: 'no program it starts gains privileges', askedBy: [], proofs: [41] },
  'caps.none': { promise: 'it holds no capability of the kernel', askedBy: [], proofs: [29, 30, 31, 40, 43, 65] },
  'fd.clean': {
    promise: 'it inherits no descriptor beyond the ones it was given',
    askedBy: [],
    proofs: [10, 11],
  },
  'env.clean': { promise: 'its environment holds only what is declared', askedBy: [], proofs: [8, 9] },
  'net.private': {
    promise: 'it has a network of its own, with no address or port of this machine or of others',
    askedBy: withNetworks('private', 'internet'),
    proofs: [14, 68, 69],
  },
  'net.noLoopback': {
    promise: 'it reaches nothing that listens on this machine',
    askedBy: [],
    proofs: [12],
  },
  'net.noMetadata': {
    promise: 'it reaches no metadata service of a cloud',
    askedBy: [],
    proofs: [13, 70],
  },
  'net.egress': {
    promise: 'it reaches the internet, and neither private networks nor this machine',
    askedBy: withNetworks('internet'),
    proofs: [12, 13, 70],
  },
  'uds.abstractPrivate': {
    promise: 'it reaches no abstract unix socket of others',
    askedBy: [],
    proofs: [15],
  },
  'syscalls.filtered': {
    promise: 'it can make only the system calls its profile allows',
    askedBy: withKeys('seccomp'),
    proofs: [32, 33, 34, 35, 36, 38, 76],
  },
  'abi.nativeOnly': {
    promise: 'it reaches the kernel by the system calls of its own architecture alone',
    askedBy: [],
    proofs: [37, 39],
  },
  'res.memory': {
    promise: 'its memory is bounded',
    askedBy: withKeys('memory_max'),
    proofs: [49],
    acceptedAs: 'no-memory-limit',
  },
  'res.pids': {
    promise: 'the number of its processes and threads is bounded',
    askedBy: withKeys('pids_max'),
    proofs: [47, 48],
    acceptedAs: 'no-pids-limit',
  },
  'res.cpu': {
    promise: 'its share of the processors is bounded',
    askedBy: withKeys('cpu_max', 'cpu_weight'),
    proofs: [55],
    acceptedAs: 'no-cpu-limit',
  },
  'res.files': {
    promise: 'the number of files it has open is bounded',
    askedBy: withKeys('files_max'),
    proofs: [46],
  },
  'disk.quota': {
    promise: 'what it stores is bounded',
    askedBy: withKeys('storage_max'),
    proofs: [51, 52],
  },
  'kill.atomic': { promise: 'all its processes end together', askedBy: [], proofs: [56, 57, 58, 63] },
  'tty.none': { promise: 'it has no terminal it could write into', askedBy: [], proofs: [24, 25] },
  'core.none': { promise: 'its memory is never written to disk when it crashes', askedBy: [], proofs: [78] },
  'restart.survives': { promise: 'it lives on when the server is restarted', askedBy: [], proofs: [59, 61, 62] },
  'launch.attested': {
    promise: 'before its first instruction the kernel was asked whether it is confined as planned',
    askedBy: [],
    proofs: [60, 64],
  },
} as const satisfies Readonly<Record<string, Capability>>

/** The names there are, for those who write adapters: a promise that nobody knows would be asked for by nobody and proved by nothing. */
export type CapabilityName = keyof typeof all

export const capabilities: Readonly<Record<string, Capability>> = all
