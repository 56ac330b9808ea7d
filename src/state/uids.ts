// Gives each instance a uid of its own, once, and keeps it as long as the instance has data: a uid given out again while
// files of it remain would hand one tenant's files to another. So every allocation reaches the disk before it is used,
// and the lowest number never used comes first; a purged one comes back only when there is no other.
import { TenementError } from '../errors.ts'
import type { Database } from './database.ts'

/** First and last uid, both included. */
export interface UidRange {
  readonly first: number
  readonly last: number
}

export interface Uids {
  /** The uid of the instance 'service:id', allocated at the first call. Throws 'invalid_config' when the range has none for it. */
  uidFor(instance: string, range: UidRange): number
  /** Lets the uid be given to another instance, one day. Only for an instance whose data is gone. */
  freeUid(instance: string): void
}

const neverUsed = `
  SELECT min(uid) AS uid FROM (SELECT :first AS uid UNION ALL SELECT uid + 1 FROM uids)
  WHERE uid BETWEEN :first AND :last AND uid NOT IN (SELECT uid FROM uids)`
const longestFreed =
  'SELECT uid FROM uids WHERE uid BETWEEN :first AND :last AND freed IS NOT NULL ORDER BY freed LIMIT 1'
const give =
  'INSERT INTO uids (uid, instance) VALUES (:uid, :instance) ON CONFLICT (uid) DO UPDATE SET instance = :instance, freed = NULL'
const free =
  'UPDATE uids SET instance = NULL, freed = (SELECT 1 + coalesce(max(freed), 0) FROM uids) WHERE instance = ?'

/** The number under `uid` in a row; undefined where there is no row or it holds NULL. */
const uidIn = (row: unknown): number | undefined =>
  typeof row === 'object' && row !== null && 'uid' in row && typeof row.uid === 'number' ? row.uid : undefined

const written = ({ first, last }: UidRange): string => `settings.tenant_uids = "${first}-${last}"`

/** Unlike other changes this one must survive a power cut: the data it owns does. */
const durably = (database: Database, change: () => void): void => {
  database.exec('PRAGMA synchronous = FULL')
  try {
    change()
  } finally {
    database.exec('PRAGMA synchronous = NORMAL')
  }
}

export const createUids = (database: Database): Uids => {
  const find = database.prepare('SELECT uid FROM uids WHERE instance = ?')
  const lowest = database.prepare(neverUsed)
  const oldest = database.prepare(longestFreed)
  const insert = database.prepare(give)
  const release = database.prepare(free)

  const allocate = (instance: string, range: UidRange): number => {
    const bounds = { first: range.first, last: range.last }
    const uid = uidIn(lowest.get(bounds)) ?? uidIn(oldest.get(bounds))
    if (uid === undefined) throw exhausted(instance, range)
    durably(database, () => insert.run({ uid, instance }))
    return uid
  }

  return {
    uidFor(instance, range) {
      const uid = uidIn(find.get(instance))
      if (uid === undefined) return allocate(instance, range)
      if (uid < range.first || uid > range.last) throw outside(instance, uid, range)
      return uid
    },
    freeUid: (instance) => durably(database, () => release.run(instance)),
  }
}

const exhausted = (instance: string, range: UidRange): TenementError =>
  new TenementError(
    'invalid_config',
    `${written(range)} has no uid left for ${instance}: each belongs to an instance with data`,
    {
      fix: 'widen settings.tenant_uids, or remove instances that are no longer needed with "tenement remove --purge"',
    },
  )

const outside = (instance: string, uid: number, range: UidRange): TenementError =>
  new TenementError(
    'invalid_config',
    `the data of ${instance} belongs to uid ${uid}, which is not in ${written(range)}`,
    {
      fix: `set settings.tenant_uids to a range that holds ${uid}`,
    },
  )
