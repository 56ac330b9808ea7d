// isolation = "readonly": an instance sees the machine as it is and can write none of it but its own, by Landlock: rules that a process
// lays upon itself for good, without namespaces and without root. What lays them is restrict.js, which then becomes the application.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
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

const restrict = fileURLToPath(new URL('restrict.js', import.meta.url))

/** Everybody's, without which few programs run: there a file is its uid's alone (sticky bit, inode(7)). */
const shared = ['/tmp', '/dev/shm']

/** With one uid for all, a file in /tmp that is another's cannot be told from its own. */
const sharedUid = {
  capability: 'fs.readOnlyRoot',
  reason: 'without root instances write to /tmp as the user who started tenement',
  fix: 'start tenement as root',
}

/** @param {readonly string[]} writable @param {readonly string[]} argv @returns {[string, ...string[]]} */
const restricted = (writable, argv) => [
  process.execPath,
  restrict,
  ...writable.flatMap((path) => ['--write', path]),
  '--',
  ...argv,
]

export default defineAdapter({
  name: 'readonly',
  apiVersion: 1,
  capabilities: {
    'fs.readOnlyRoot': 'enforced',
    'priv.noNew': 'enforced',
    'env.clean': 'enforced',
    'fd.clean': 'enforced',
    'restart.survives': 'enforced',
  },
  networks: ['host'],

  // A whole launch, as those who will be run: they may not reach this file, or the kernel know too few of the rules.
  probe: ({ hasTenantUids, probeIdentity }) => {
    const [program, ...args] = restricted(shared, ['/bin/true'])
    const options = /** @type {const} */ ({ ...probeIdentity, encoding: 'utf8', env: {}, cwd: '/', timeout: 8_000 })
    const { status, error, stderr } = spawnSync(program, args, options)
    if (status === 0) return { usable: true, lost: hasTenantUids ? [] : [sharedUid] }
    const reason = `restrict.js says: ${error?.message ?? (stderr.trim() || 'nothing')}`
    const fix =
      'use Linux 6.12 or newer with landlock among its LSMs, and put Node and the plug-in where tenants can read them'
    return { usable: false, lost: [], problem: { reason, fix } }
  },

  prepare: (plan) => {
    if (plan.filter !== undefined) throw new AdapterError('it filters no system calls', { fix: 'remove seccomp' })
    if (plan.secrets.length > 0) throw new AdapterError('it has no place for secrets', { fix: 'remove secrets' })
    if (plan.read.length > 0 || plan.write.length > 0)
      throw new AdapterError('it grants nothing beyond what is its own', { fix: 'remove read and write' })
    const sockets = socketDirectories(plan.reach)
    const writable = [plan.dataDir, ...shared, ...sockets.map(({ path }) => path)]
    return {
      argv: restricted(writable, withListenPid(plan.argv, plan.reach)),
      env: plan.env,
      cwd: plan.cwd,
      identity: plan.identity,
      umask: umaskFor(plan.reach),
      directories: [{ path: plan.dataDir, mode: 0o700, owner: 'tenant' }, ...sockets],
      descriptors: descriptorsFor(plan.reach),
      limits: {},
      resources: resourcesOf(plan.limits),
      ...storageOf(plan.limits),
      depth: 0,
      reach: plan.reach,
    }
  },
})
