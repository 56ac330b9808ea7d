// isolation = "container": an instance is an OCI container over a root file system directory, run by runc, crun or another runtime as
// the tenant's own uid: no daemon, no images, nothing that is root. The runtime keeps its notes and the bundle in a file system
// that only its own processes see, so nothing of them is left when they end. What the container is, spec.js says.
import { spawnSync } from 'node:child_process'
import {
  AdapterError,
  defineAdapter,
  descriptorsFor,
  resourcesOf,
  socketDirectories,
  storageOf,
  umaskFor,
} from 'tenement/plugin'
import { settings } from './settings.js'
import { specOf } from './spec.js'

const specFd = 4

// Runs in namespaces of its own, as their root. The root file system is everybody's and the mount points of an instance are not in it,
// so they are made in a layer above it (overlayfs, "Overlay in user namespaces": Linux 5.11). crun refuses to start where there are
// cgroups of version 1 and controllers of version 2 beside them, also when it is to use neither, so it sees none of the latter.
// TENEMENT_RUN is how a launcher that is not root finds the processes of a run: what is in the container has it too.
const makeReady = `
set -eu
rootfs=$1 preserved=$2; shift 2
/usr/sbin/ip link set lo up
[ ! -d /sys/fs/cgroup/unified ] || /usr/bin/mount -t tmpfs -o size=4k,ro none /sys/fs/cgroup/unified
/usr/bin/mount -t tmpfs -o size=16m,mode=0700 oci /dev/shm
cd /dev/shm; mkdir state rootfs upper work
/usr/bin/mount -t overlay -o "lowerdir=$rootfs,upperdir=upper,workdir=work" overlay rootfs
/usr/bin/sed "s/@TENEMENT_RUN@/\${TENEMENT_RUN-none}/" <&${specFd} >config.json
exec "$@" --root /dev/shm/state run --preserve-fds "$preserved" --bundle /dev/shm instance ${specFd}<&-
`

/** Where the launch finds unshare, and the runtime what it runs itself; the application's own environment is in its spec. */
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }

/**
 * @param {import('./settings.js').Settings} settings @param {number} preserved descriptors that the application inherits from 3 on
 * @returns {[string, ...string[]]}
 */
const contained = ({ rootfs, runtime }, preserved) => {
  const namespaces = ['--user', '--map-root-user', '--net', '--mount', '--']
  return ['/usr/bin/unshare', ...namespaces, '/bin/sh', '-c', makeReady, 'oci', rootfs, String(preserved), ...runtime]
}

export default defineAdapter({
  name: 'container',
  apiVersion: 1,
  capabilities: {
    'fs.privateRoot': 'enforced',
    'fs.readOnlyRoot': 'enforced',
    'fs.privateTmp': 'enforced',
    'pid.private': 'enforced',
    'ipc.private': 'enforced',
    'uts.private': 'enforced',
    'cgroup.private': 'enforced',
    'user.ns': 'enforced',
    'priv.noNew': 'enforced',
    'caps.none': 'enforced',
    'fd.clean': 'enforced',
    'env.clean': 'enforced',
    'net.private': 'enforced',
    'net.noLoopback': 'enforced',
    'net.noMetadata': 'enforced',
    'uds.abstractPrivate': 'enforced',
    'kill.atomic': 'enforced',
    'restart.survives': 'enforced',
  },
  defaults: { network: 'private', limits: { tmpBytes: 64 * 1024 ** 2 } },
  networks: ['private'],
  // The launcher opens connections inside a network only where bubblewrap has told it of the first process in there.
  listens: ['fd', 'unix'],
  settings,

  // A whole container, run as those who will be run: the runtime may be there and the kernel refuse one of its mounts.
  probe: ({ probeIdentity }, settings) => {
    const spec = specOf({
      argv: ['/bin/true'],
      env: { PATH: '/bin:/usr/bin' },
      cwd: '/',
      instance: 'probe',
      umask: 0o077,
      mounts: [],
    })
    const [program, ...args] = contained(settings, 0)
    const run = ['-c', `exec "$@" ${specFd}<&0 </dev/null`, 'probe', program, ...args]
    const options = { ...probeIdentity, input: JSON.stringify(spec), encoding: 'utf8', env, cwd: '/', timeout: 8_000 }
    const { status, error, stderr } = spawnSync('/bin/sh', run, /** @type {const} */ (options))
    if (status === 0) return { usable: true, lost: [] }
    const reason = `${settings.runtime[0]} says: ${error?.message ?? stderr.trim()}`
    const fix = `try it by hand; it needs user namespaces, overlayfs in them, iproute2, and /bin/true in ${settings.rootfs}`
    return { usable: false, lost: [], problem: { reason, fix } }
  },

  prepare: (plan, settings) => {
    if (plan.filter !== undefined)
      throw new AdapterError('a compiled filter cannot be handed to an OCI runtime', { fix: 'remove seccomp' })
    if (plan.secrets.length > 0)
      throw new AdapterError('it has no place for secrets', { fix: 'remove secrets from the service' })
    if (plan.limits.openFiles !== undefined)
      throw new AdapterError('it bounds no open files', { fix: 'remove files_max' })
    const spec = JSON.stringify(
      specOf({ ...plan, umask: umaskFor(plan.reach), mounts: mountsOf(plan), tmpBytes: plan.limits.tmpBytes }),
    )
    const inherited = descriptorsFor(plan.reach)
    return {
      argv: contained(settings, inherited.length),
      env,
      cwd: plan.cwd,
      identity: plan.identity,
      umask: umaskFor(plan.reach),
      directories: [{ path: plan.dataDir, mode: 0o700, owner: 'tenant' }, ...socketDirectories(plan.reach)],
      descriptors: [...inherited, { fd: specFd, kind: 'content', content: new TextEncoder().encode(spec) }],
      limits: {},
      resources: resourcesOf(plan.limits),
      ...storageOf(plan.limits),
      depth: 0,
      reach: plan.reach,
    }
  },
})

/**
 * In the order in which they are made. What the tenant may write comes last, and nothing is mounted below it: a symbolic link of the
 * tenant's on the way to a mount point leads wherever it likes (CVE-2021-30465, CVE-2026-87766).
 *
 * @param {import('tenement/plugin').LaunchPlan} plan
 */
const mountsOf = ({ cwd, read, write, dataDir, reach }) => {
  const readOnly = [{ path: cwd, source: cwd }, ...read].map((grant) => ({ ...grant, isWritable: false }))
  const sockets = socketDirectories(reach).map(({ path }) => ({ path, source: path, noExec: true }))
  const writable = [...write, ...sockets, { path: dataDir, source: dataDir }].map((grant) => ({
    ...grant,
    isWritable: true,
  }))
  const planted = [...readOnly, ...writable].find(({ path }) =>
    writable.some((each) => path.startsWith(`${each.path}/`)),
  )
  if (planted !== undefined)
    throw new AdapterError(`"${planted.path}" lies in a folder that the instance may write`, {
      fix: 'move it out of there',
    })
  return [...readOnly, ...writable]
}
