// isolation = "offline": every instance has a network and shared memory of its own, with nothing of others in them. It sees the
// machine's files and processes. Copy this file, and change what it promises and what it does.
import { spawnSync } from 'node:child_process'
import {
  AdapterError,
  defineAdapter,
  descriptorsFor,
  resourcesOf,
  socketDirectories,
  storageOf,
  umaskFor,
  withListenPid,
} from 'tenement/plugin'

// Namespaces of its own, made ready by a shell that may do so in them; then one more, in which the application is its own uid
// again and may do nothing to the others. Each becomes the next, so that no process stays between tenement and the application.
const makeReady = [
  '/usr/sbin/ip link set lo up',
  '/usr/bin/mount -t tmpfs -o size=16m,mode=1777 shm /dev/shm',
  'exec /usr/bin/unshare --user --map-user="$0" --map-group="$0" -- "$@"',
].join(' && ')

/** @param {number} uid @param {readonly string[]} argv @returns {[string, ...string[]]} */
const confined = (uid, argv) => {
  const namespaces = ['--user', '--map-root-user', '--net', '--ipc', '--mount', '--']
  return ['/usr/bin/unshare', ...namespaces, '/bin/sh', '-c', makeReady, String(uid), ...argv]
}

export default defineAdapter({
  name: 'offline',
  apiVersion: 1,

  // What holds on every machine where `probe` says that it runs. The test beside this file attacks each of them.
  capabilities: {
    'net.private': 'enforced',
    'net.noLoopback': 'enforced',
    'net.noMetadata': 'enforced',
    'uds.abstractPrivate': 'enforced',
    'ipc.private': 'enforced',
    'env.clean': 'enforced',
    'fd.clean': 'enforced',
    'restart.survives': 'enforced',
  },
  defaults: { network: 'private', limits: {} },
  networks: ['private'],
  // Nobody outside reaches a port in there; a unix socket is a file, and is reached.
  listens: ['fd', 'unix'],

  // Tried as those who will be run, where tenement is root: what root may do says nothing about them.
  probe: ({ probeIdentity }) => {
    const [program, ...args] = confined(probeIdentity?.uid ?? process.getuid?.() ?? 0, ['/bin/true'])
    const { status, error, stderr } = spawnSync(program, args, { ...probeIdentity, encoding: 'utf8' })
    if (status === 0) return { usable: true, lost: [] }
    const reason = `unshare says: ${error?.message ?? stderr.trim()}`
    return { usable: false, lost: [], problem: { reason, fix: 'allow user namespaces, and install iproute2' } }
  },

  // The plan says what is to run, and where; the launch is the command that runs it confined.
  prepare: (plan) => {
    if (plan.filter !== undefined) throw new AdapterError('it filters no system calls', { fix: 'remove seccomp' })
    return {
      argv: confined(plan.identity?.uid ?? process.getuid?.() ?? 0, withListenPid(plan.argv, plan.reach)),
      env: plan.env,
      cwd: plan.cwd,
      identity: plan.identity,
      umask: umaskFor(plan.reach),
      directories: [{ path: plan.dataDir, mode: 0o700, owner: 'tenant' }, ...socketDirectories(plan.reach)],
      descriptors: descriptorsFor(plan.reach),
      limits: {},
      resources: resourcesOf(plan.limits),
      ...storageOf(plan.limits),
      depth: 0,
      reach: plan.reach,
    }
  },
})
