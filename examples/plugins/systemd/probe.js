// Whether this machine's systemd runs such units: by running a whole one and asking the kernel what became of it, since systemd leaves
// out by itself what its kernel, or what it was built without, does not have.
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { standInFor, startFor } from './standIn.js'
import { propertiesOf } from './unit.js'

/** Fails unless the namespaces are others than those named, and a filter, no capability and no way to gain one are there. */
const look = `
for namespace in net ipc uts mnt; do
  [ "$(readlink /proc/self/ns/$namespace)" != "$1" ] || { echo "its $namespace namespace is the machine's"; exit 1; }
  shift
done
for line in 'Seccomp:.2' 'NoNewPrivs:.1' 'CapBnd:.0*$' "Uid:.$1.$1"; do
  grep -q "^$line" /proc/self/status || { echo "it is without $line"; exit 1; }
done
`

const problem = (/** @type {string} */ reason, /** @type {string} */ fix) => ({
  usable: false,
  lost: [],
  problem: { reason, fix },
})

const namespacesHere = () => ['net', 'ipc', 'uts', 'mnt'].map((name) => readlinkSync(`/proc/self/ns/${name}`))

/** @param {import('tenement/plugin').Machine} machine @returns {import('tenement/plugin').Probe} */
export const probe = ({ isRoot, probeIdentity }) => {
  if (!isRoot || probeIdentity === undefined) return problem('units are started by root', 'start tenement as root')
  // sd_booted(3)
  if (!existsSync('/run/systemd/system'))
    return problem('systemd is not the init of this machine', 'use another isolation, or a machine that runs systemd')
  const said = runWhole(probeIdentity.uid)
  if (said === undefined) return { usable: true, lost: lostBounds() }
  return problem(`systemd says of a unit: ${said}`, 'it needs systemd 252 with seccomp, its D-Bus, and setpriv')
}

/** What went wrong with a unit like those of instances; undefined where nothing did. */
const runWhole = (/** @type {number} */ uid) => {
  const folder = mkdtempSync(join(tmpdir(), 'tenement-unit-'))
  const file = join(folder, 'start')
  writeFileSync(file, startOf(uid), { mode: 0o600 })
  const start = openSync(file, 'r')
  try {
    const [program, ...args] = standInFor(propertiesOf({ readable: [], writable: [], limits: {} }), false)
    const stdio = /** @type {import('node:child_process').StdioOptions} */ (['ignore', 'pipe', 'pipe', 'ignore', start])
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', TENEMENT_RUN: `probe-${process.pid}-${Date.now()}` }
    const { status, error, stdout, stderr } = spawnSync(program, args, {
      stdio,
      env,
      cwd: '/',
      encoding: 'utf8',
      timeout: 30_000,
    })
    return status === 0 ? undefined : (error?.message ?? (`${stdout}${stderr}`.trim() || `exit ${status}`))
  } finally {
    closeSync(start)
    rmSync(folder, { recursive: true, force: true })
  }
}

const startOf = (/** @type {number} */ uid) =>
  startFor({
    argv: ['/bin/sh', '-c', look, 'look', ...namespacesHere(), String(uid)],
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    umask: 0o077,
    uid,
    isListening: false,
  })

/** systemd ignores a bound whose controller is not there (systemd.resource-control(5)). */
const lostBounds = () => {
  const file = '/sys/fs/cgroup/cgroup.controllers'
  const controllers = existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ') : []
  return ['memory', 'cpu'].flatMap((name) =>
    controllers.includes(name)
      ? []
      : [
          {
            capability: `res.${name}`,
            reason: `systemd has no "${name}" controller of cgroup version 2 here`,
            fix: 'boot with systemd.unified_cgroup_hierarchy=1',
          },
        ],
  )
}
