// Whether firejail confines here: by running a whole sandbox and asking the kernel what became of it. firejail runs a program without
// any where it takes the machine for a sandbox already, and says so only to a terminal.
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { profileFor, sandboxFor } from './sandbox.js'
import { startFd, startFor } from './start.js'

const kinds = ['net', 'ipc', 'uts', 'mnt', 'pid']

/** Fails unless the namespaces are others than those named, and a filter, no capability and no way to gain one are there. */
const look = `
for namespace in ${kinds.join(' ')}; do
  [ "$(readlink /proc/self/ns/$namespace)" != "$1" ] || { echo "its $namespace namespace is the machine's"; exit 1; }
  shift
done
for line in 'Seccomp:.2' 'NoNewPrivs:.1' 'CapEff:.0*$' 'CapBnd:.0*$' "Uid:.$1.$1"; do
  grep -q "^$line" /proc/self/status || { echo "it is without $line"; exit 1; }
done
`

const problem = (/** @type {string} */ reason, /** @type {string} */ fix) => ({
  usable: false,
  lost: [],
  problem: { reason, fix },
})

/** @param {import('tenement/plugin').Machine} machine @returns {import('tenement/plugin').Probe} */
export const probe = ({ isRoot, probeIdentity }) => {
  if (!isRoot || probeIdentity === undefined)
    return problem(
      'nothing that tenement starts gains root by a setuid bit, as firejail would',
      'start tenement as root',
    )
  const said = runWhole(probeIdentity)
  if (said === undefined) return { usable: true, lost: [] }
  return problem(`firejail says: ${said}`, 'install firejail 0.9.72 or newer, and run tenement outside of containers')
}

/** What went wrong with a sandbox like those of instances; undefined where nothing did. */
const runWhole = (/** @type {import('tenement/plugin').Identity} */ identity) => {
  const profile = profileFor({ topLevel: readdirSync('/'), readable: [], writable: [] })
  const folder = mkdtempSync(join(tmpdir(), 'tenement-firejail-'))
  const opened = [startOf(identity), profile].map((text, index) => openWith(join(folder, String(index)), text))
  try {
    const [program, ...args] = sandboxFor('probe', [startFd])
    const stdio = /** @type {import('node:child_process').StdioOptions} */ ([
      ...['ignore', 'pipe', 'pipe', 'ignore'],
      ...opened,
    ])
    const options = /** @type {const} */ ({ stdio, env: {}, cwd: '/', encoding: 'utf8', timeout: 8_000 })
    const { status, error, stdout, stderr } = spawnSync(program, args, options)
    return status === 0 ? undefined : (error?.message ?? (`${stdout}${stderr}`.trim() || `exit ${status}`))
  } finally {
    for (const fd of opened) closeSync(fd)
    rmSync(folder, { recursive: true, force: true })
  }
}

const openWith = (/** @type {string} */ file, /** @type {string} */ text) => {
  writeFileSync(file, text, { mode: 0o600 })
  return openSync(file, 'r')
}

const startOf = (/** @type {import('tenement/plugin').Identity} */ { uid, gid }) =>
  startFor({
    argv: ['/bin/sh', '-c', look, 'look', ...kinds.map((kind) => readlinkSync(`/proc/self/ns/${kind}`)), String(uid)],
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    umask: 0o077,
    uid,
    gid,
    isListening: false,
    network: readlinkSync('/proc/self/ns/net'),
  })
