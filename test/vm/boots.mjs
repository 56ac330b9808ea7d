// What runs in virtual machines, as data: one boot for each kind of kernel, and in it one command after the other.
// A further command is a further row; it runs as root in the checkout, and fails its row by any exit code but 0.

/**
 * @typedef {object} Step
 * @property {string} name What it shows, as a sentence that could be false.
 * @property {readonly string[]} command
 * @property {Readonly<Record<string, string>>} [settings] Files below /proc/sys of the virtual machine, and what is written there before.
 */

/**
 * @typedef {object} Boot
 * @property {string} name
 * @property {readonly string[]} modules Of the kernel, beside those it takes to boot.
 * @property {number} [processors] Where what is shown has to hold for processes that run at the same moment; one otherwise, which is emulated with less.
 * @property {boolean} [isSystemd] Whether systemd is the first process, as it is on most machines; nothing is otherwise.
 * @property {readonly Step[]} steps
 */

/** @param {...string} files */
const vitest = (...files) => [
  'node_modules/.bin/vitest',
  ...['run', '--config', 'test/vm/vitest.config.ts', '--reporter', 'verbose', ...files],
]

/** @param {...string} args */
const tenement = (...args) => ['node', 'dist/cli/main.js', ...args]

const attack = ['node', 'test/vm/attack.mjs']

/** An ordinary user, whose home inside.sh makes. */
const asUser = ['env', 'HOME=/home/user', 'setpriv', '--reuid=1000', '--regid=1000', '--clear-groups', '--']

/** What any distribution loads when it is asked for: the device of pasta, a network without a wire, and who listens where (sock_diag(7)). */
export const usualModules = [...['tun', 'dummy', 'inet_diag', 'tcp_diag']]

/** File systems that bound what is stored below a directory, in a file instead of a disk. */
export const quotaModules = [
  ...['loop', 'crc16', 'mbcache', 'crc32c_generic', 'jbd2', 'ext4', 'quota_tree', 'quota_v2'],
  ...['libcrc32c', 'exportfs', 'xfs'],
]

/** The longest first, since not all of them run at the same time. @type {readonly Boot[]} */
export const boots = [
  {
    name: 'file systems with project quotas',
    modules: [...usualModules, ...quotaModules],
    steps: [{ name: 'what instances store is bounded by the file system', command: vitest('test/vm/storage.vm.ts') }],
  },
  {
    name: 'systemd as the first process',
    modules: usualModules,
    isSystemd: true,
    steps: [
      {
        name: 'an isolation by units of systemd keeps its promises',
        command: tenement('check', '--plugin', './examples/plugins/systemd'),
      },
    ],
  },
  {
    name: 'cgroup version 2 alone, attacked',
    modules: usualModules,
    processors: 2,
    steps: [
      { name: 'no isolation breaks a promise when it is attacked', command: attack },
      { name: 'nor does one break what is left of them for an ordinary user', command: [...asUser, ...attack] },
    ],
  },
  {
    name: 'no user namespaces for tenants, and no modules',
    modules: [],
    steps: [
      {
        name: 'what Debian forbids is told with its fix',
        settings: { 'kernel/unprivileged_userns_clone': '0' },
        command: vitest('test/vm/refused.vm.ts'),
      },
      {
        name: 'what hardening guides forbid is told with its fix',
        settings: { 'kernel/unprivileged_userns_clone': '1', 'user/max_user_namespaces': '0' },
        command: vitest('test/vm/refused.vm.ts'),
      },
    ],
  },
  {
    name: 'cgroup version 2 alone',
    modules: usualModules,
    processors: 2,
    steps: [
      {
        name: 'limits are kept and runs end whole',
        // Not once more as if there were version 2 alone: there is.
        command: vitest('test/integration/cgroups', '--testNamePattern', '^(?!.*as version 2 (kills|freezes))'),
      },
      { name: 'a whole tenement wakes and stops instances', command: vitest('test/vm/wake.vm.ts') },
    ],
  },
]

/**
 * A boot as the shell commands that inside.sh runs.
 * @param {Boot} boot
 */
export const planOf = ({ steps }) =>
  steps
    .flatMap(({ settings = {}, command }, index) => [
      ...Object.entries(settings).map(([file, value]) => shellLine('setting', file, value)),
      shellLine('step', String(index), ...command),
    ])
    .join('')

/** @param {...string} words */
const shellLine = (...words) => `${words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')}\n`
