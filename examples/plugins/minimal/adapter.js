// isolation = "offline": every instance has a network of its own with nothing in it, and shares no name, no shared memory and no
// message queue with anybody. It sees the machine's files and processes. Copy this file, and change what it promises and does.
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

/** Becomes the program behind it, in namespaces of its own: no process stays in between that would have to pass on signals. */
const unshare = '/usr/bin/unshare'
const options = ['--user', '--map-current-user', '--net', '--ipc', '--uts', '--']

export default defineAdapter({
  name: 'offline',
  apiVersion: 1,

  // What holds on every machine where `probe` says that it runs. Each promise is attacked by the proofs in test/.
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
  // Nobody outside reaches a port in there; a unix socket is a file, and is.
  listens: ['fd', 'unix'],

  // Looks whether this machine can run it, as those who will be run: what root may do says nothing about them.
  probe: ({ probeIdentity }) => {
    const { status, error, stderr } = spawnSync(unshare, [...options, '/bin/true'], {
      ...probeIdentity,
      encoding: 'utf8',
    })
    if (status === 0) return { usable: true, lost: [] }
    const reason = `unshare says: ${error?.message ?? stderr.trim()}`
    return {
      usable: false,
      lost: [],
      problem: { reason, fix: 'allow user namespaces: sysctl user.max_user_namespaces' },
    }
  },

  // The plan says what is to run, and where; the launch is the command that runs it confined.
  prepare: (plan) => {
    if (plan.filter !== undefined || plan.secrets.length > 0)
      throw new AdapterError(`${plan.instance} asks for what isolation "offline" does not do`, {
        fix: 'remove seccomp and secrets',
      })
    return {
      argv: [unshare, ...options, ...withListenPid(plan.argv, plan.reach)],
      env: plan.env,
      cwd: plan.cwd,
      identity: plan.identity,
      umask: umaskFor(plan.reach),
      directories: [{ path: plan.dataDir, mode: 0o700, owner: 'tenant' }, ...socketDirectories(plan.reach)],
      descriptors: descriptorsFor(plan.reach),
      limits: plan.limits.openFiles === undefined ? {} : { nofile: plan.limits.openFiles },
      resources: resourcesOf(plan.limits),
      ...storageOf(plan.limits),
      depth: 0,
      reach: plan.reach,
    }
  },
})
