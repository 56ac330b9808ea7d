// What a container is, in the words of the OCI runtime specification (config.md, config-linux.md). Pure. It starts in namespaces that
// are the tenant's already, in which one uid exists: 0 inside is the tenant's own outside, with no capability and no way to gain one.

/**
 * @typedef {object} Mount
 * @property {string} path inside
 * @property {string} source on the machine
 * @property {boolean} isWritable
 * @property {boolean} [noExec] as it is mounted on the machine, which a namespace of the tenant's may not undo (mount_namespaces(7))
 */

const none = { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] }

/** Of the first process in a pid namespace: its pid is known before it exists (sd_listen_fds(3)). */
const firstPid = '1'

/** @param {number} bytes @param {string} mode */
const memory = (bytes, mode) => ['nosuid', 'nodev', `mode=${mode}`, `size=${bytes}`]

/** What every container has; without /sys, of which a tenant learns about the machine. */
const usualMounts = (/** @type {number} */ tmpBytes) => [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536', 'ro'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
  },
  { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: memory(16 * 1024 ** 2, '1777') },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/tmp', type: 'tmpfs', source: 'tmp', options: memory(tmpBytes, '1777') },
]

/** What is below is held to the same: "ro" alone is of the topmost mount (mount_setattr(2), AT_RECURSIVE). */
const bindOf = (/** @type {Mount} */ { path, source, isWritable, noExec = false }) => ({
  destination: path,
  type: 'bind',
  source,
  options: [
    'rbind',
    'rprivate',
    'nosuid',
    'nodev',
    'rnosuid',
    'rnodev',
    ...(isWritable ? ['rw'] : ['ro', 'rro']),
    ...(noExec ? ['noexec'] : []),
  ],
})

// Files of the kernel that tell of the machine, or of other tenants; and those by which its settings are changed.
const masked = [
  'kcore',
  'keys',
  'key-users',
  'kallsyms',
  'kmsg',
  'timer_list',
  'interrupts',
  'latency_stats',
  'sched_debug',
  'scsi',
]
const readOnly = ['sys', 'sysrq-trigger', 'irq', 'bus', 'fs', 'asound']

/**
 * @param {{ argv: readonly string[], env: Readonly<Record<string, string>>, cwd: string, instance: string,
 *   umask: number, mounts: readonly Mount[], tmpBytes?: number | undefined }} container
 */
export const specOf = ({ argv, env, cwd, instance, umask, mounts, tmpBytes = 1024 ** 2 }) => ({
  ociVersion: '1.0.2',
  process: {
    terminal: false,
    user: { uid: 0, gid: 0, umask },
    args: argv,
    env: [
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      ...(env.LISTEN_FDS === undefined ? [] : [`LISTEN_PID=${firstPid}`]),
      'TENEMENT_RUN=@TENEMENT_RUN@',
    ],
    cwd,
    capabilities: none,
    noNewPrivileges: true,
  },
  root: { path: 'rootfs', readonly: true },
  hostname: instance.replaceAll(':', '-').slice(0, 63),
  mounts: [...usualMounts(tmpBytes), ...mounts.map(bindOf)],
  linux: {
    namespaces: ['mount', 'pid', 'ipc', 'uts', 'cgroup'].map((type) => ({ type })),
    maskedPaths: masked.map((name) => `/proc/${name}`),
    readonlyPaths: readOnly.map((name) => `/proc/${name}`),
  },
})
