// What firejail is asked for, in its own words (firejail(1), firejail-profile(5)). Pure. What names paths is a profile that comes by a
// descriptor: firejail is the first process in the sandbox, where the instance reads its command line. No other profile is read.
import { starter } from './start.js'

const program = '/usr/bin/firejail'

/** What the profile comes by. */
export const profileFd = 5

const always = [
  '--quiet',
  `--profile=/proc/self/fd/${profileFd}`,
  // Its exit code is the program's, and whoever was left behind ends with the program.
  '--deterministic-exit-code',
  '--deterministic-shutdown',
  '--net=none',
  '--ipc-namespace',
  '--private-dev',
  '--dbus-system=none',
  '--dbus-user=none',
  // What it takes to become the tenant, which then has none of them.
  '--caps.keep=setuid,setgid,setpcap',
  '--nonewprivs',
  '--seccomp',
  '--seccomp.block-secondary',
  // As of a kernel that has none of what is refused: programs then do without, where EPERM would be a failure to them.
  '--seccomp-error-action=ENOSYS',
  '--restrict-namespaces',
]

/** @param {string} instance @param {readonly number[]} kept the descriptors it does not close @returns {[string, ...string[]]} */
export const sandboxFor = (instance, kept) => [
  program,
  ...always,
  `--hostname=${instance.replaceAll(':', '-').slice(0, 63)}`,
  `--keep-fd=${kept.join(',')}`,
  '--',
  ...starter,
]

/** What of the machine every instance is shown, or given anew: what else lies in "/" is hidden from it. */
const usual = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'usr', 'etc', 'proc', 'sys', 'dev', 'run', 'tmp']

/** Of the kernel, about the machine and its keys. */
const telling = ['interrupts', 'key-users', 'keys', 'latency_stats', 'sched_debug', 'scsi', 'timer_stats']

const topOf = (/** @type {string} */ path) => path.split('/')[1] ?? ''

/**
 * A whitelist hides all else that is in the same folder of "/"; in the usual ones that would be what every program needs.
 *
 * @param {{ topLevel: readonly string[], readable: readonly string[], writable: readonly string[] }} view `topLevel`: what is in "/"
 */
export const profileFor = ({ topLevel, readable, writable }) => {
  const listed = [...readable, ...writable].filter((path) => !usual.includes(topOf(path)))
  const hidden = topLevel.filter((name) => ![...usual, ...listed.map(topOf)].includes(name))
  return [
    'tmpfs /tmp',
    ...listed.map((path) => `whitelist ${path}`),
    ...hidden.map((name) => `blacklist /${name}`),
    ...telling.map((name) => `blacklist /proc/${name}`),
    'read-only /',
    ...[...writable, '/tmp', '/dev'].map((path) => `read-write ${path}`),
    '',
  ].join('\n')
}
