// The directories tenement itself lives in, made at start with the owners and modes the two processes need. None of them may
// be writable by a tenant: everything later trusts that their names lead where they seem to.
import { chmodSync, chownSync, lstatSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Policy } from './protocol.ts'

interface Place {
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** The run directory and the one that holds its lock come first. */
const placesOf = (policy: Policy): Place[] => {
  const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  const server = policy.serverIdentity ?? self
  const { runDir, logDir, stateDir, dataRoots } = policy
  return [
    // Tenants pass through the run directory to their own sockets and to code bound there, and can list none of it.
    { path: runDir, mode: 0o711, ...self },
    { path: join(runDir, 'launcher'), mode: 0o700, ...self },
    { path: join(runDir, 'code'), mode: 0o711, ...self },
    { path: join(runDir, 'u'), mode: 0o711, ...self },
    { path: join(runDir, 's'), mode: 0o710, uid: self.uid, gid: server.gid },
    { path: logDir, mode: 0o750, uid: self.uid, gid: server.gid },
    { path: stateDir, mode: 0o700, ...server },
    ...dataRoots.map((path) => ({ path, mode: 0o711, ...self })),
  ]
}

/** Makes the run directory alone: whoever holds it may then see to the others. */
export const makeRunDirectory = (policy: Policy): void => {
  for (const place of placesOf(policy).slice(0, 2)) make(place)
}

/** Makes what is missing, and puts owner and mode right where tenement owns them already; throws naming a directory of somebody else. */
export const makeDirectories = (policy: Policy): void => {
  for (const place of placesOf(policy)) make(place)
}

const make = ({ path, mode, uid, gid }: Place): void => {
  mkdirSync(path, { recursive: true, mode: 0o755 })
  const stat = lstatSync(path)
  const self = process.getuid?.() ?? 0
  if (!stat.isDirectory()) throw new Error(`"${path}" is not a directory`)
  if (stat.uid !== uid && stat.uid !== self)
    throw new Error(`"${path}" belongs to uid ${stat.uid}, not to uid ${uid}; chown it if it is meant for tenement`)
  // Owner first: chown clears set-id bits, and a chmod of an unowned directory would fail.
  if (stat.uid !== uid || stat.gid !== gid) chownSync(path, uid, gid)
  if ((stat.mode & 0o7777) !== mode) chmodSync(path, mode)
}
