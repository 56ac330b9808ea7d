// What systemd is asked for, in its own words (systemd.exec(5), systemd.resource-control(5)). Pure. An instance finds a root file
// system of its own, in memory, read-only, with what it may have bound into it; a network and IPC of its own; few system calls.

/** Of the machine, for everybody: programs and libraries, and what these read of /etc. */
export const shown = [
  '/usr',
  ...['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'],
  ...['alternatives', 'ca-certificates', 'ld.so.cache', 'localtime', 'pki', 'ssl'].map((name) => `/etc/${name}`),
]

/** What of /proc tells of the machine, beside what the settings below close themselves. */
const masked = ['interrupts', 'key-users', 'keys', 'kmsg', 'latency_stats', 'sched_debug', 'scsi', 'timer_list']

/** Sizes in bytes. A file system in memory counts as the unit's own memory. */
const usualTmp = 16 * 1024 ** 2
const small = 1024 ** 2

/** The kernel's own names of files may be anything; separators lose their meaning between quotes, and so does what is escaped. */
const quoted = (/** @type {string} */ path) => `"${path.replace(/["\\]/g, '\\$&')}"`

const inMemory = (/** @type {string} */ path, /** @type {number} */ bytes) =>
  `TemporaryFileSystem=${path}:mode=1777,size=${bytes},nr_inodes=${Math.max(Math.floor(bytes / 4096), 64)}`

const always = [
  'Type=exec',
  'KillMode=control-group',
  // For what is left when the program has ended. The program itself hears its stop signal from tenement, also when the machine is shut
  // down: without these dependencies systemd leaves the unit to whoever started it until all services have ended.
  'KillSignal=SIGKILL',
  'DefaultDependencies=no',
  'OOMPolicy=kill',
  'OOMScoreAdjust=200',
  'LimitCORE=0',
  'IgnoreSIGPIPE=no',
  'KeyringMode=private',
  // What it takes to become the tenant, which then has none of them: systemd runs programs only as users that have an account.
  'CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_SETPCAP',
  'NoNewPrivileges=yes',
  'PrivateDevices=yes',
  'PrivateNetwork=yes',
  'PrivateIPC=yes',
  'ProtectHostname=yes',
  'ProtectClock=yes',
  'ProtectKernelTunables=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelLogs=yes',
  'ProtectControlGroups=yes',
  // Processes of others are hidden, not absent: whoever guesses a number learns by kill(2) that it is in use.
  'ProtectProc=invisible',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
  'LockPersonality=yes',
  'SystemCallArchitectures=native',
  'SystemCallFilter=@system-service',
  'SystemCallErrorNumber=ENOSYS',
  'TemporaryFileSystem=/:ro,mode=0755,size=1048576,nr_inodes=1024',
  inMemory('/dev/shm', usualTmp),
  // Here the instance is told of itself before it is one; later it may write neither.
  `TemporaryFileSystem=/etc:mode=0755,size=${small},nr_inodes=256`,
  `TemporaryFileSystem=/run:mode=0755,size=${small},nr_inodes=256`,
  // Of the machine's hardware, and of cgroups of others.
  'TemporaryFileSystem=/sys:ro,mode=0755,size=4096',
  ...shown.map((path) => `BindReadOnlyPaths=-${path}`),
  ...masked.map((name) => `InaccessiblePaths=-/proc/${name}`),
]

const boundsOf = (/** @type {import('tenement/plugin').Limits} */ { memoryBytes, cpus, cpuWeight, openFiles }) => [
  ...(memoryBytes === undefined ? [] : [`MemoryMax=${memoryBytes}`, 'MemorySwapMax=0']),
  ...(cpus === undefined ? [] : [`CPUQuota=${Math.max(Math.round(cpus * 100), 1)}%`]),
  ...(cpuWeight === undefined ? [] : [`CPUWeight=${cpuWeight}`]),
  ...(openFiles === undefined ? [] : [`LimitNOFILE=${openFiles}`]),
]

/**
 * @param {{ readable: readonly import('tenement/plugin').Grant[], writable: readonly import('tenement/plugin').Grant[],
 *   limits: import('tenement/plugin').Limits }} unit
 * @returns {readonly string[]} properties, as `systemd-run --property` takes them
 */
export const propertiesOf = ({ readable, writable, limits }) => [
  ...always,
  inMemory('/tmp', limits.tmpBytes ?? usualTmp),
  ...boundsOf(limits),
  ...readable.map(({ path, source }) => `BindReadOnlyPaths=${quoted(source)}:${quoted(path)}`),
  ...writable.map(({ path, source }) => `BindPaths=${quoted(source)}:${quoted(path)}`),
]
