// isolation = "unit": an instance is a transient unit of systemd, confined by its settings and started by the machine's first process.
// The launcher starts, signals and waits for a stand-in (standIn.js); what the unit may, unit.js says.
import { AdapterError, defineAdapter, descriptorsFor, storageOf, umaskFor } from 'tenement/plugin'
import { probe } from './probe.js'
import { standInFor, startFd, startFor } from './standIn.js'
import { propertiesOf, shown } from './unit.js'

/** Where the stand-in finds systemd-run and systemctl. */
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }

export default defineAdapter({
  name: 'unit',
  apiVersion: 1,
  privileged: true,
  capabilities: {
    'fs.privateRoot': 'enforced',
    'fs.readOnlyRoot': 'enforced',
    'fs.privateTmp': 'enforced',
    'ipc.private': 'enforced',
    'uts.private': 'enforced',
    'cgroup.private': 'enforced',
    'user.perTenantUid': 'enforced',
    'user.noNestedNs': 'enforced',
    'priv.noNew': 'enforced',
    'caps.none': 'enforced',
    'fd.clean': 'enforced',
    'env.clean': 'enforced',
    'net.private': 'enforced',
    'net.noLoopback': 'enforced',
    'net.noMetadata': 'enforced',
    'uds.abstractPrivate': 'enforced',
    'abi.nativeOnly': 'enforced',
    'core.none': 'enforced',
    'tty.none': 'enforced',
    'res.memory': 'enforced',
    'res.cpu': 'enforced',
    'res.files': 'enforced',
    'disk.quota': 'best-effort',
    'kill.atomic': 'enforced',
    'restart.survives': 'enforced',
  },
  defaults: { network: 'private', limits: {} },
  networks: ['private'],
  // Nobody outside reaches a port in there, and systemd does not see the directory of a socket: the launcher has mounts of its own.
  listens: ['fd'],
  sight: {
    shown,
    own: ['/', '/usr', '/etc', '/proc', '/dev', '/dev/shm', '/sys', '/tmp', '/run', '/var'],
    closed: ['/proc', '/dev', '/sys', '/tmp'],
  },

  probe,

  prepare: (plan) => {
    if (plan.identity === undefined)
      throw new AdapterError('units are started by root', { fix: 'start tenement as root' })
    if (plan.filter !== undefined)
      throw new AdapterError('a compiled filter cannot be handed to systemd', { fix: 'remove seccomp' })
    if (plan.secrets.length > 0)
      throw new AdapterError('it has no place for secrets', { fix: 'remove secrets from the service' })
    if (plan.limits.processes !== undefined)
      throw new AdapterError('it does not count refused processes', { fix: 'remove pids_max' })
    const { argv, cwd, identity, limits, reach } = plan
    const isListening = reach.kind === 'fd'
    const umask = umaskFor(reach)
    const start = startFor({ argv, env: plan.env, cwd, umask, uid: identity.uid, isListening })
    return {
      argv: standInFor(propertiesOf({ ...placesOf(plan), limits }), isListening),
      env,
      cwd,
      identity,
      privileged: true,
      umask,
      directories: [{ path: plan.dataDir, mode: 0o700, owner: 'tenant' }],
      descriptors: [
        ...descriptorsFor(reach),
        { fd: startFd, kind: 'content', content: new TextEncoder().encode(start) },
      ],
      limits: {},
      resources: {},
      ...storageOf(limits),
      depth: 0,
      reach,
    }
  },
})

/**
 * systemd is root, and finds everything where the machine has it.
 *
 * @param {import('tenement/plugin').Grant} grant
 */
const ofMachine = ({ path }) => ({ path, source: path })

/**
 * What it may read and write. Nothing is bound below what it may write: a symbolic link of the tenant's on the way to a mount point
 * leads wherever it likes (CVE-2021-30465, CVE-2026-87766).
 *
 * @param {import('tenement/plugin').LaunchPlan} plan
 */
const placesOf = ({ cwd, read, write, dataDir }) => {
  const readable = [{ path: cwd, source: cwd }, ...read.map(ofMachine)]
  const writable = [...write.map(ofMachine), { path: dataDir, source: dataDir }]
  const planted = [...readable, ...writable].find(({ path }) =>
    writable.some((each) => path.startsWith(`${each.path}/`)),
  )
  if (planted !== undefined)
    throw new AdapterError(`"${planted.path}" lies in a folder that the instance may write`, {
      fix: 'move it out of there',
    })
  return { readable, writable }
}
