// Holds an instance to a quota of the file system its data lies on: a project of its own, with hard limits on blocks and inodes.
// The project has the number of the tenant's uid, which no other instance of the machine has while this one has data.
// Limits are written last, and taken away first, so that a project with limits is one whose files were all enrolled: a start that
// was cut short begins anew. Where the policy says that there are quotas, an instance that cannot be held to its own is not started.
// It does not know whether the instance could leave its project; under a user namespace of its own it cannot (fs/ioctl.c,
// fileattr_set_prepare: the project is changed from the first user namespace alone).
import { closeSync, constants, openSync } from 'node:fs'
import { messageOf } from '../../errors.ts'
import type { Directory, Identity, Storage } from '../../isolation/adapter.ts'
import {
  type Limits,
  type Quota,
  quotaState,
  readMembership,
  readQuota,
  writableLimits,
  writeLimits,
} from '../libc/quota.ts'
import { openFlags, openPath } from '../libc.ts'
import { ownSocketDir, Refused } from '../policy.ts'
import type { Policy } from '../protocol.ts'
import type { LaunchRequest } from '../run.ts'
import { ensureDirectory, openDirectoryBelow, rootOf } from '../safePath.ts'
import { countMembers, enrolAll } from './enrol.ts'

export interface HeldQuota {
  /** As of now; undefined where somebody told the file system meanwhile to hold nobody to quotas. */
  read(): Quota | undefined
}

interface Place extends Pick<Directory, 'path' | 'mode'> {
  readonly root: string
}

/** The directories of an instance's own that last; one for sockets is bounded by its file system. */
export const lastingPlaces = (policy: Policy, { run, launch }: Pick<LaunchRequest, 'run' | 'launch'>): Place[] =>
  launch.directories
    .filter(({ path, owner }) => owner === 'tenant' && path !== ownSocketDir(policy, run))
    .map(({ path, mode }) => ({ path, mode, root: rootOf(policy.dataRoots, path) }))

/**
 * Makes the directories and holds them to the bound of the launch; without one, lifts an earlier bound. Undefined where they are
 * not, or on no file system that keeps quotas. Takes as long as it takes to look at every file, the first time.
 */
export const holdToQuota = async (
  policy: Policy,
  request: Pick<LaunchRequest, 'run' | 'launch'>,
  abandoned: AbortSignal,
): Promise<HeldQuota | undefined> => {
  const { identity, storage } = request.launch
  const places = lastingPlaces(policy, request).filter(({ root }) => policy.quotaRoots?.includes(root))
  const [first] = places
  if (identity === undefined || first === undefined) return undefined
  for (const { root, path, mode } of places) ensureDirectory(root, path, mode, identity)
  const open = places.map((place) => ({ ...place, fd: openData(place) }))
  try {
    if (storage === undefined) for (const place of open) lift(place.fd, identity.uid)
    else await hold(open, identity, storage, abandoned)
  } finally {
    for (const { fd } of open) closeSync(fd)
  }
  const read = (fd: number): Quota | undefined =>
    quotaState(fd) === 'enforced' ? readQuota(fd, identity.uid) : undefined
  return storage === undefined ? undefined : { read: () => withData(first, read) }
}

/** To read: what is open by its path alone takes no ioctl (open(2), O_PATH). */
const openData = ({ root, path }: Pick<Place, 'root' | 'path'>): number => {
  const place = openDirectoryBelow(root, path)
  try {
    return openSync(`/proc/self/fd/${place}`, constants.O_RDONLY | constants.O_DIRECTORY)
  } finally {
    closeSync(place)
  }
}

const withData = <T>(place: Pick<Place, 'root' | 'path'>, act: (fd: number) => T): T => {
  const fd = openDirectoryBelow(place.root, place.path)
  try {
    return act(fd)
  } finally {
    closeSync(fd)
  }
}

type OpenPlace = Place & { readonly fd: number }

const hold = async (places: OpenPlace[], { uid }: Identity, storage: Storage, abandoned: AbortSignal) => {
  requireBound(storage)
  for (const place of places) requireQuotas(place)
  if (!places.every(({ fd }) => isEnrolled(fd, uid))) await enrolTrees(places, uid, abandoned)
  for (const { fd } of places) limit(fd, uid, { maxBytes: storage.bytes, maxFiles: storage.files })
}

/** What would be written as 0 is no limit at all, and a server that was taken over asks for the least it can. */
const requireBound = ({ bytes, files }: Storage): void => {
  const { maxBytes, maxFiles } = writableLimits({ maxBytes: bytes, maxFiles: files })
  if (maxBytes > 0 && maxFiles > 0) return
  throw new Refused(`a bound of ${bytes} bytes and ${files} files is less than a file system can be told`)
}

/** Written only where it differs: that goes to the disk, and instances start often. */
const limit = (fd: number, uid: number, wanted: Limits): void => {
  const [found, limits] = [readQuota(fd, uid), writableLimits(wanted)]
  if (found.maxBytes !== limits.maxBytes || found.maxFiles !== limits.maxFiles) writeLimits(fd, uid, limits)
}

const isEnrolled = (fd: number, uid: number): boolean => {
  const { project, isInherited } = readMembership(fd)
  return project === uid && isInherited && readQuota(fd, uid).maxBytes > 0
}

/** They were there when tenement started, and its promises were made by that. */
const requireQuotas = ({ fd, path }: OpenPlace): void => {
  if (quotaState(fd) === 'enforced') return
  throw new Error(
    `the file system of "${path}" enforces no project quotas, as that of the folder around it did when tenement started; mount it as it was, or restart tenement`,
  )
}

/** Without limits until all of it is enrolled: they tell the next start that nothing is left to do. */
const enrolTrees = async (places: OpenPlace[], uid: number, abandoned: AbortSignal): Promise<void> => {
  for (const place of places) await requireAlone(place, places, uid, abandoned)
  for (const { fd } of places) writeLimits(fd, uid, unlimited)
  for (const { fd, path } of places) {
    try {
      await enrolAll(fd, { uid, project: uid }, abandoned)
    } catch (error) {
      throw new Error(`"${path}" cannot be held to a quota: ${messageOf(error)}`, { cause: error })
    }
  }
}

/** Somebody else's files would count for this instance, and its own for them. */
const requireAlone = async (
  { fd, path }: OpenPlace,
  places: OpenPlace[],
  uid: number,
  abandoned: AbortSignal,
): Promise<void> => {
  const { files } = readQuota(fd, uid)
  if (files === 0) return
  let own = 0
  for (const place of places) own += await countMembers(place.fd, uid, abandoned)
  if (files <= own) return
  throw new Error(
    `project ${uid}, which "${path}" is to have, has ${files - own} files elsewhere on that file system; remove them, or set settings.tenant_uids to a range whose numbers no other tenement and no project there has`,
  )
}

const unlimited = { maxBytes: 0, maxFiles: 0 }

const lift = (fd: number, uid: number): void => {
  if (quotaState(fd) === 'off' || readMembership(fd).project !== uid) return
  if (readQuota(fd, uid).maxBytes > 0) writeLimits(fd, uid, unlimited)
}

/** Once its data is gone: the uid may be another's one day, who starts without a bound of an earlier one. */
export const liftQuota = (policy: Policy, root: string, { uid }: Identity): void => {
  if (!policy.quotaRoots?.includes(root)) return
  const fd = openPath(root, openFlags.path | openFlags.directory)
  try {
    if (quotaState(fd) !== 'off') writeLimits(fd, uid, unlimited)
  } finally {
    closeSync(fd)
  }
}
