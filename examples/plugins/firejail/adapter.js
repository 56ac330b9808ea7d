// isolation = "firejail": an instance runs in a sandbox of firejail, with a network, processes and IPC of its own, and finds the machine
// read-only. firejail begins as root, since nothing that tenement starts gains root by a setuid bit; the program in it is the tenant's.
// What firejail is asked for, sandbox.js says; what becomes the tenant in there, start.js.
import { readdirSync, readlinkSync } from 'node:fs'
import { AdapterError, defineAdapter, descriptorsFor, socketDirectories, storageOf, umaskFor } from 'tenement/plugin'
import { probe } from './probe.js'
import { profileFd, profileFor, sandboxFor } from './sandbox.js'
import { startFd, startFor } from './start.js'

export default defineAdapter({
  name: 'firejail',
  apiVersion: 1,
  privileged: true,
  capabilities: {
    'fs.readOnlyRoot': 'enforced',
    'fs.noHostSymlink': 'enforced',
    'pid.private': 'enforced',
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
    'tty.none': 'enforced',
    'core.none': 'enforced',
    'disk.quota': 'best-effort',
    'kill.atomic': 'enforced',
    'restart.survives': 'enforced',
  },
  defaults: { network: 'private', limits: {} },
  networks: ['private'],
  // Nobody outside reaches a port in there.
  listens: ['fd', 'unix'],

  probe,

  prepare: (plan) => {
    const { identity, limits, reach } = plan
    if (identity === undefined) throw new AdapterError('firejail is started by root', { fix: 'start tenement as root' })
    if (plan.filter !== undefined)
      throw new AdapterError('a compiled filter cannot be handed to firejail', { fix: 'remove seccomp' })
    if (plan.secrets.length > 0)
      throw new AdapterError('it has no place for secrets', { fix: 'remove secrets from the service' })
    const umask = umaskFor(reach)
    const sockets = socketDirectories(reach)
    const inherited = descriptorsFor(reach)
    const kept = [...inherited.map(({ fd }) => fd), startFd]
    const start = startFor({
      ...plan,
      ...identity,
      umask,
      isListening: reach.kind === 'fd',
      network: readlinkSync('/proc/self/ns/net'),
    })
    return {
      argv: sandboxFor(plan.instance, kept),
      env: {},
      cwd: plan.cwd,
      identity,
      privileged: true,
      umask,
      directories: [{ path: plan.dataDir, mode: 0o700, owner: 'tenant' }, ...sockets],
      descriptors: [...inherited, contentOf(startFd, start), contentOf(profileFd, profileFor(viewOf(plan)))],
      limits: {},
      resources: {},
      ...storageOf(limits),
      depth: 0,
      reach,
    }
  },
})

const contentOf = (/** @type {number} */ fd, /** @type {string} */ text) =>
  /** @type {const} */ ({ fd, kind: 'content', content: new TextEncoder().encode(text) })

/** firejail expands patterns in paths, takes commas for separators, and refuses most other signs (firejail(1), "FILE GLOBBING"). */
const plain = /^[\w./-]+$/

/**
 * What it may read and write, each at its own place. Nothing is opened below what it may write: a symbolic link of the tenant's on the
 * way to a mount point leads wherever it likes (CVE-2021-30465, CVE-2026-87766).
 *
 * @param {import('tenement/plugin').LaunchPlan} plan
 */
const viewOf = ({ cwd, read, write, dataDir, reach }) => {
  const readable = [cwd, ...read.map(({ path }) => path)]
  const writable = [...write.map(({ path }) => path), ...socketDirectories(reach).map(({ path }) => path), dataDir]
  for (const path of [...readable, ...writable]) requireUsable(path, writable)
  return { topLevel: readdirSync('/'), readable, writable }
}

const requireUsable = (/** @type {string} */ path, /** @type {readonly string[]} */ writable) => {
  if (!plain.test(path))
    throw new AdapterError(`firejail does not take "${path}" as it is`, { fix: 'use letters, digits and "._-" alone' })
  if (writable.some((each) => path.startsWith(`${each}/`)))
    throw new AdapterError(`"${path}" lies in a folder that the instance may write`, { fix: 'move it out of there' })
}
