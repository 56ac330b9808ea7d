// Which attacks there are, what each would break, and what is promised of it at each level. Numbers are those of the attack
// corpus the project keeps; a part after a dot is promised on its own. "allowed by design" is a statement too: it is asserted
// where the attacks run, so that nobody reads more into a level than it holds.

export type Promised =
  /** Whatever the machine, and whoever runs tenement. */
  | 'blocked'
  /** Kept by the uid: blocked where tenement is root, open where all instances run as the caller. */
  | 'blocked by its uid'
  /** Got through, and that is said. */
  | 'allowed by design'
  /** Nothing is promised: it may be the kernel's own setting that blocks it. */
  | 'depends on the machine'
  | 'does not apply'

export type Topic =
  | 'files'
  | 'proc'
  | 'descriptors'
  | 'network'
  | 'syscalls'
  | 'terminals'
  | 'processes'
  | 'namespaces'
  | 'shared'

export interface Row {
  readonly row: string
  readonly topic: Topic
  /** True where it holds; what an instance cannot do. */
  readonly sentence: string
  readonly none: Promised
  readonly namespace: Promised
  readonly sandbox: Promised
  /** The only answers that count as a refusal, where another would break programs that probe for a call. */
  readonly answers?: readonly string[]
  /** What holds of a row that is blocked by its uid where it shares that with everybody: 'allowed by design' where nothing is said. */
  readonly withSharedUid?: Promised
  /** Why a level promises less than another, or less than one might think. */
  readonly why?: string
}

type Levels = Pick<Row, 'none' | 'namespace' | 'sandbox'>

const always: Levels = { none: 'blocked', namespace: 'blocked', sandbox: 'blocked' }
const byUid: Levels = { ...always, none: 'blocked by its uid' }
const confined: Levels = { ...always, none: 'allowed by design' }
const mostlyConfined: Levels = { ...always, none: 'depends on the machine' }
const onlySandbox: Levels = { ...confined, namespace: 'allowed by design' }

const ofItsUser = 'without root it has the uid of whoever started tenement, and that user may have terminals open'

const sharedNetwork = "it shares the machine's network unless it asks for one of its own"

/** A row that no program inside an instance can show by itself: others must be looked at, or tenement as a whole. */
export interface SystemRow extends Levels {
  readonly row: string
  readonly sentence: string
  /** The tests that prove it, below test/. */
  readonly provedIn: string
  readonly why?: string
}

/** Without root the cgroups that bound instances are those a user was given, and the counts of a user are shared. */
const bounded: Levels = byUid
const bombs = { ...bounded, provedIn: 'attack/bombs.test.ts' }
const trees = { ...always, provedIn: 'attack/trees.test.ts' }
const answers = { ...always, provedIn: 'attack/answers.test.ts' }

export const systemRows: readonly SystemRow[] = [
  { row: '47', ...bombs, sentence: 'starts no more processes than it may have, and all end with it' },
  { row: '48', ...bombs, sentence: 'has no more threads and ended processes than it may have' },
  { row: '49', ...bombs, sentence: 'holds no more memory than its bound, in whatever form' },
  {
    row: '50',
    ...bombs,
    none: 'allowed by design',
    sentence: 'fills no directory but its own, and those to their size',
    why: "under none it has the machine's own directories",
  },
  {
    row: '51',
    ...trees,
    sentence: 'is ended when it keeps more than storage_max in its data',
    why: 'best effort where the file system enforces no project quotas: measured every one to ten seconds, and not at all without storage_max',
  },
  { row: '52', ...trees, sentence: 'leaves nothing in its data that cannot be removed' },
  { row: '53', ...bombs, none: 'blocked', sentence: 'fills neither the disk nor memory by what it prints' },
  {
    row: '54',
    ...bombs,
    sentence: 'takes nothing of its neighbour by what is counted by user',
    why: 'terminals are counted by machine (kernel.pty.max), so files_max and pids_max alone bound them',
  },
  { row: '55', ...bombs, sentence: 'spins on no more processors than it may have' },
  {
    row: '71',
    none: 'does not apply',
    namespace: 'does not apply',
    sandbox: 'does not apply',
    sentence: 'is led past no rule of names',
    provedIn: 'attack/rows.test.ts',
    why: 'there is no proxy that goes by names: addresses are out of reach whatever name leads to them (rows 12, 13 and 70)',
  },
  { row: '72', ...answers, sentence: 'brings nobody an answer or bytes that are not theirs by how it answers' },
  { row: '73', ...answers, sentence: 'neither fills tenement nor keeps it busy by answers without end' },
  {
    row: '79',
    ...always,
    sentence: 'is named nothing that becomes a path or an option',
    provedIn: 'integration/launcher/hostile.test.ts',
  },
]

export const rows: readonly Row[] = [
  {
    row: '1',
    topic: 'proc',
    ...byUid,
    none: 'depends on the machine',
    sentence: 'cannot set what the kernel does with core files',
  },
  {
    row: '2',
    topic: 'proc',
    ...mostlyConfined,
    sentence: "opens no setting of the kernel's for writing",
    why: 'some, such as ns_last_pid, are open to everybody on the machine',
  },
  {
    row: '3',
    topic: 'proc',
    ...confined,
    sentence: 'reads nothing of /proc that tells of the machine',
  },
  {
    row: '4',
    topic: 'files',
    ...byUid,
    sentence: 'neither reads nor changes a file of the machine',
  },
  {
    row: '5',
    topic: 'files',
    ...byUid,
    sentence: "reads nothing of tenement's and of its neighbour's",
  },
  {
    row: '5.seen',
    topic: 'files',
    ...confined,
    sentence: 'does not learn what files there are on the machine',
  },
  {
    row: '6',
    topic: 'proc',
    ...byUid,
    sentence: "does not get into its neighbour's process by /proc",
  },
  {
    row: '6.seen',
    topic: 'proc',
    ...confined,
    sentence: "does not see its neighbour's process",
  },
  {
    row: '7',
    topic: 'proc',
    ...byUid,
    sentence: "does not get into tenement's processes by /proc",
  },
  {
    row: '8',
    topic: 'proc',
    ...always,
    none: 'does not apply',
    sentence: 'finds nothing of its start in process 1',
  },
  {
    row: '10',
    topic: 'descriptors',
    ...always,
    sentence: 'finds no file or directory of the machine open',
  },
  {
    row: '11',
    topic: 'descriptors',
    ...always,
    sentence: "inherits no socket that lies in the machine's network",
  },
  {
    row: '12',
    topic: 'network',
    ...onlySandbox,
    sentence: 'reaches the machine by none of its addresses',
    why: sharedNetwork,
  },
  {
    row: '13',
    topic: 'network',
    none: 'depends on the machine',
    namespace: 'depends on the machine',
    sandbox: 'blocked',
    sentence: 'reaches none of the services that clouds offer to machines',
    why: sharedNetwork,
  },
  {
    row: '14.port',
    topic: 'network',
    ...onlySandbox,
    sentence: "does not reach its neighbour's port",
    why: sharedNetwork,
  },
  {
    row: '14.path',
    topic: 'network',
    ...byUid,
    sentence: "does not reach its neighbour's unix sockets",
  },
  {
    row: '15',
    topic: 'network',
    ...onlySandbox,
    sentence: 'reaches no abstract unix socket of others',
    why: 'such sockets belong to the network: sharing it is sharing them',
  },
  {
    row: '16',
    topic: 'network',
    ...byUid,
    sentence: "reaches no unix socket of the machine's, and not tenement's own",
  },
  {
    row: '23',
    topic: 'files',
    ...byUid,
    sentence: 'cannot link a file of the machine into its data',
  },
  {
    row: '24',
    topic: 'terminals',
    ...byUid,
    sentence: 'has no terminal of others to type into',
    withSharedUid: 'depends on the machine',
    why: ofItsUser,
  },
  {
    row: '24.own',
    topic: 'terminals',
    ...mostlyConfined,
    answers: ['EPERM'],
    sentence: 'cannot type into terminals at all',
    why: 'the kernel may refuse it by itself (dev.tty.legacy_tiocsti)',
  },
  {
    row: '25',
    topic: 'terminals',
    ...byUid,
    sentence: 'changes no terminal of others',
    withSharedUid: 'depends on the machine',
    why: ofItsUser,
  },
  {
    row: '25.own',
    topic: 'terminals',
    ...confined,
    answers: ['EPERM'],
    sentence: 'cannot load a line discipline',
  },
  {
    row: '26',
    topic: 'processes',
    ...byUid,
    sentence: 'does not trace its neighbour or tenement',
  },
  {
    row: '26.parent',
    topic: 'processes',
    ...mostlyConfined,
    answers: ['EPERM'],
    sentence: 'traces nobody, not even processes of its own',
    why: 'without a filter whoever runs as the same uid may be traced',
  },
  { row: '27', topic: 'processes', ...byUid, sentence: 'signals nobody but its own' },
  {
    row: '28',
    topic: 'namespaces',
    ...confined,
    sentence: 'makes no namespaces',
    why: 'where a user namespace can be made, most faults of the kernel are within reach',
  },
  {
    row: '29',
    topic: 'namespaces',
    ...always,
    sentence: 'neither mounts nor takes a mount away',
  },
  {
    row: '30',
    topic: 'namespaces',
    ...always,
    sentence: 'has no other way to change what is mounted',
  },
  { row: '31', topic: 'namespaces', ...always, sentence: 'enters the namespaces of nobody' },
  {
    row: '32',
    topic: 'syscalls',
    ...confined,
    answers: ['ENOSYS'],
    sentence: 'makes no io_uring, past which no filter sees',
  },
  {
    row: '33',
    topic: 'syscalls',
    ...mostlyConfined,
    sentence: 'has neither bpf nor perf nor userfaultfd',
    why: 'most kernels refuse the first two to users by themselves',
  },
  {
    row: '34',
    topic: 'syscalls',
    ...confined,
    sentence: 'uses no keyring of the kernel, which no namespace divides',
  },
  {
    row: '34.read',
    topic: 'syscalls',
    ...confined,
    sentence: 'reads no key of others',
  },
  {
    row: '35',
    topic: 'syscalls',
    ...confined,
    answers: ['EAFNOSUPPORT', 'EPROTONOSUPPORT'],
    sentence: 'opens sockets of no family but those that servers use',
  },
  {
    row: '36',
    topic: 'syscalls',
    ...confined,
    answers: ['EAFNOSUPPORT'],
    sentence: 'does not reach the ciphers of the kernel (CVE-2026-31431)',
  },
  {
    row: '37',
    topic: 'syscalls',
    ...confined,
    answers: ['SIGSYS', 'ENOSYS'],
    sentence: 'enters the kernel as no other architecture',
  },
  {
    row: '38',
    topic: 'syscalls',
    ...always,
    answers: ['ENOSYS'],
    sentence: 'is told of calls that do not exist that they do not exist',
  },
  {
    row: '39',
    topic: 'syscalls',
    ...always,
    sentence: 'gets no other answer from the vsyscall page than from the call',
  },
  { row: '40', topic: 'files', ...always, sentence: 'opens no file by a forged handle' },
  {
    row: '41',
    topic: 'files',
    ...always,
    sentence: 'gains no privileges by running a set-user-id program',
  },
  {
    row: '42',
    topic: 'files',
    none: 'allowed by design',
    namespace: 'allowed by design',
    sandbox: 'allowed by design',
    sentence: 'cannot set the set-user-id bit on its own programs',
    why: 'nobody else can enter its data directory; whoever mounts the data nosuid is safe from mistakes too',
  },
  {
    row: '43',
    topic: 'files',
    ...byUid,
    none: 'blocked',
    sentence: "makes no device node and opens no device that holds the machine's data",
  },
  {
    row: '43.seen',
    topic: 'files',
    ...confined,
    sentence: 'finds no device but those that hold nothing',
  },
  {
    row: '44',
    topic: 'files',
    ...byUid,
    none: 'depends on the machine',
    sentence: 'writes nothing in /sys or to its own bounds',
    why: 'some files of /sys may be open to everybody on the machine',
  },
  {
    row: '45',
    topic: 'files',
    ...byUid,
    none: 'depends on the machine',
    sentence: 'makes no cgroup in which its bounds would not hold',
    why: 'a user to whom cgroups are delegated may write them',
  },
  {
    row: '46',
    topic: 'processes',
    ...always,
    sentence: 'raises neither its priority nor its limits',
  },
  {
    row: '46.score',
    topic: 'processes',
    none: 'depends on the machine',
    namespace: 'depends on the machine',
    sandbox: 'depends on the machine',
    sentence: 'cannot have others ended before it when memory runs out',
    why: 'holds only where tenement has CAP_SYS_RESOURCE',
  },
  {
    row: '64',
    topic: 'processes',
    ...always,
    none: 'does not apply',
    sentence: 'cannot make the first process report a false end',
  },
  {
    row: '64.memory',
    topic: 'processes',
    none: 'does not apply',
    namespace: 'allowed by design',
    sandbox: 'allowed by design',
    sentence: 'cannot open the memory of the first process',
    why: 'that process is no more than the instance itself, and nothing it reports is believed',
  },
  {
    row: '65',
    topic: 'namespaces',
    ...always,
    sentence: 'sets neither clock nor name of the machine',
  },
  {
    row: '66',
    topic: 'shared',
    ...byUid,
    sentence: "does not get at its neighbour's shared memory, semaphores and queues",
  },
  {
    row: '66.seen',
    topic: 'shared',
    ...confined,
    sentence: "does not see its neighbour's shared memory",
  },
  {
    row: '67',
    topic: 'syscalls',
    ...mostlyConfined,
    sentence: 'does not read the log of the kernel',
    why: 'kernel.dmesg_restrict decides without a filter',
  },
  {
    row: '68.port',
    topic: 'network',
    none: 'blocked',
    namespace: 'blocked',
    sandbox: 'does not apply',
    sentence: 'cannot take a port that its neighbour listens on',
    why: 'in a network of its own it has every port, and nobody is led to it',
  },
  {
    row: '69',
    topic: 'network',
    ...always,
    sentence: 'opens no raw sockets and changes no network',
  },
  {
    row: '70',
    topic: 'network',
    none: 'does not apply',
    namespace: 'does not apply',
    sandbox: 'blocked',
    sentence: 'gets out of its network by no route of its own',
  },
  {
    row: '74',
    topic: 'files',
    ...byUid,
    sentence: 'changes no program, its own included',
  },
  { row: '75', topic: 'files', ...always, sentence: 'does not write to the program that runs it' },
  {
    row: '76',
    topic: 'syscalls',
    ...confined,
    sentence: 'changes nothing about how the kernel lays out and executes it',
  },
  {
    row: '77',
    topic: 'syscalls',
    ...confined,
    sentence: 'takes back nothing of its filter by one of its own',
  },
  { row: '78', topic: 'files', ...always, sentence: 'leaves nothing of its memory behind when it crashes' },
]
