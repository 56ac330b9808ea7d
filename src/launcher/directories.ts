// The directories tenement itself lives in, made at start with the owners and modes the two processes need. One that is there
// already and holds something may be somebody else's (a config can name /var/log or /): it must fit as it is, and is never
// given away or closed. None may be writable by others: everything later trusts that names below them lead where they seem to.
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../errors.ts'
import type { Policy } from './protocol.ts'

interface Place {
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** What one that is there must allow: the bits of `mode` that others, or the server's group, cannot do without. */
  readonly needs: 'nothing' | 'others pass' | 'server reads'
}

const self = (): { readonly uid: number; readonly gid: number } => ({
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
})

const serverOf = ({ serverIdentity }: Policy) => serverIdentity ?? self()

/** Tenants pass through it to their own sockets and to code bound there, and can list none of it. */
const runPlace = ({ runDir, tenantUids }: Policy): Place => ({
  path: runDir,
  mode: 0o711,
  ...self(),
  needs: tenantUids === undefined ? 'nothing' : 'others pass',
})

const outerPlaces = (policy: Policy): Place[] => [
  runPlace(policy),
  { path: policy.logDir, mode: 0o750, uid: self().uid, gid: serverOf(policy).gid, needs: 'server reads' },
  { path: policy.stateDir, mode: 0o700, ...serverOf(policy), needs: 'nothing' },
  ...policy.dataRoots.map(
    (path): Place => ({
      path,
      mode: 0o711,
      ...self(),
      needs: policy.tenantUids === undefined ? 'nothing' : 'others pass',
    }),
  ),
]

/** Below the run directory, so tenement's own whatever they hold. */
const innerPlaces = (policy: Policy): Omit<Place, 'needs'>[] => [
  { path: join(policy.runDir, 'code'), mode: 0o711, ...self() },
  { path: join(policy.runDir, 'grants'), mode: 0o711, ...self() },
  { path: join(policy.runDir, 'u'), mode: 0o711, ...self() },
  { path: join(policy.runDir, 's'), mode: 0o710, uid: self().uid, gid: serverOf(policy).gid },
]

/** Makes the run directory alone, and in it the place of the lock: whoever holds that may see to the others. */
export const makeRunDirectory = (policy: Policy): void => {
  makeOuter(runPlace(policy))
  makeInner({ path: join(policy.runDir, 'launcher'), mode: 0o700, ...self() })
}

/** Makes what is missing; throws with the way out for what is there and does not fit. */
export const makeDirectories = (policy: Policy): void => {
  for (const place of outerPlaces(policy)) makeOuter(place)
  for (const place of innerPlaces(policy)) makeInner(place)
}

const makeOuter = (place: Place): void => {
  const isNew = makeIfMissing(place.path)
  const stat = lstatSync(place.path)
  if (!stat.isDirectory()) throw new Error(`"${place.path}" is not a directory`)
  // An empty one of ours holds nothing that could be somebody's: systemd makes such, with modes of its own.
  const isOurs = stat.uid === self().uid
  if (isNew || (isOurs && readdirSync(place.path).length === 0)) give(place)
  else requireFit(place, stat)
}

/** Whether there was none yet. */
const makeIfMissing = (path: string): boolean => {
  try {
    return mkdirSync(path, { recursive: true, mode: 0o755 }) !== undefined
  } catch (error) {
    throw new Error(
      `"${path}" cannot be made: ${messageOf(error)}; name another directory in [settings], or make this one for uid ${self().uid}`,
      { cause: error },
    )
  }
}

const makeInner = (place: Omit<Place, 'needs'>): void => {
  mkdirSync(place.path, { recursive: true, mode: 0o700 })
  if (!lstatSync(place.path).isDirectory()) throw new Error(`"${place.path}" is not a directory`)
  give(place)
}

const give = ({ path, mode, uid, gid }: Omit<Place, 'needs'>): void => {
  chownSync(path, uid, gid)
  chmodSync(path, mode)
}

const requireFit = ({ path, uid, gid, needs }: Place, stat: Stats): void => {
  const mode = (stat.mode & 0o7777).toString(8)
  if (stat.uid !== uid)
    throw new Error(
      `"${path}" belongs to uid ${stat.uid} and not to uid ${uid}; name another directory, or chown -R ${uid} it`,
    )
  if ((stat.mode & 0o022) !== 0)
    throw new Error(`"${path}" has mode 0${mode}, so others may write it; name another directory, or chmod go-w it`)
  if (needs === 'others pass' && (stat.mode & 0o001) === 0)
    throw new Error(`"${path}" has mode 0${mode}, so tenants cannot pass through it; chmod o+x it`)
  if (needs === 'server reads' && !isReadable(stat, gid))
    throw new Error(
      `"${path}" has mode 0${mode} and gid ${stat.gid}, so the server cannot read it; chgrp ${gid} and chmod g+rx it`,
    )
}

const isReadable = (stat: Stats, gid: number): boolean => {
  if (gid === self().gid) return true // the server runs as the launcher does
  return stat.gid === gid ? (stat.mode & 0o050) === 0o050 : (stat.mode & 0o005) === 0o005
}
