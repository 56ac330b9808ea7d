// Whose uid is whose, as the disk tells it: a data directory belongs to the uid of its instance, and only root could have given
// it away. A server that was taken over names instance and uid of a launch, so it could start one instance as the uid of another
// that sleeps, and read what that one stores. There is no table to keep: what root made is the table, and it survives a reboot.
// It does not know directories of services that are no longer in the config.
import { lstatSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Refused } from './policy.ts'
import { isUidAlive } from './processes.ts'
import type { Policy } from './protocol.ts'
import type { LaunchRequest } from './run.ts'

type Instance = Pick<LaunchRequest, 'service' | 'id'>

const ownerOf = (path: string): number | undefined => lstatSync(path, { throwIfNoEntry: false })?.uid

const dataDirOf = ({ dataDirs }: Policy, { service, id }: Instance): string => {
  const parts = Object.hasOwn(dataDirs, service) ? dataDirs[service] : undefined
  if (parts === undefined) throw new Refused(`service "${service}" has no directory for data`)
  return parts.join(id)
}

/** Throws Refused unless the uid of the launch is its instance's own, or nobody's yet, and nothing runs as it. */
export const requireOwnUid = (policy: Policy, { service, id, launch }: LaunchRequest): void => {
  const { identity } = launch
  if (identity === undefined) return
  if (isUidAlive(identity.uid))
    throw new Refused(`uid ${identity.uid} still has a process, which could reach into ${service}:${id}; end it first`)
  const own = dataDirOf(policy, { service, id })
  const status = lstatSync(own, { throwIfNoEntry: false })
  if (status !== undefined && !status.isDirectory()) throw new Refused(`"${own}" is a symlink or not a directory`)
  const owner = status?.uid
  if (owner === identity.uid) return
  if (owner !== undefined)
    throw new Refused(
      `uid ${identity.uid} is not that of ${service}:${id}: "${own}" belongs to uid ${owner}; chown it if it is meant to be used`,
    )
  // Only before an instance has data is there anything to search: one look at every data directory there is.
  const other = allDataDirs(policy).find((path) => ownerOf(path) === identity.uid)
  if (other === undefined) return
  throw new Refused(
    `uid ${identity.uid} cannot be given to ${service}:${id}: "${other}" belongs to it; remove that directory if nobody needs it`,
  )
}

const allDataDirs = ({ dataDirs }: Policy): readonly string[] => Object.values(dataDirs).flatMap(dataDirsLike)

/** The directories made of one pattern: its parts with an id between each two. */
const dataDirsLike = (parts: readonly string[]): readonly string[] => {
  const [before = '', after] = parts
  if (after === undefined) return [before]
  const folder = before.endsWith('/') ? before.slice(0, -1) || '/' : dirname(before)
  const prefix = before.slice(folder === '/' ? 1 : folder.length + 1)
  const [suffix = ''] = after.split('/')
  return namesIn(folder)
    .filter((name) => name.length > prefix.length + suffix.length && name.startsWith(prefix) && name.endsWith(suffix))
    .map((name) => parts.join(name.slice(prefix.length, name.length - suffix.length)))
}

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [] // nothing was started yet
    throw error
  }
}
