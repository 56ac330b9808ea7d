// Whom probes run as when tenement is root: a uid of the tenants' range, since what root may do says nothing about a tenant.
// A process of the same uid could trace the probe and answer for it, so it is one that no process runs as; the highest, since
// instances get the lowest.
import { readdirSync, readFileSync } from 'node:fs'
import type { Settings } from '../config/schema.ts'
import type { Identity } from '../isolation/adapter.ts'

type UidRange = Settings['tenantUids']

/** Undefined when every uid of the range has a process. */
export const probeIdentityIn = (
  { first, last }: UidRange,
  used: ReadonlySet<number> = uidsInUse(),
): Identity | undefined => {
  for (let uid = last; uid >= first; uid -= 1) if (!used.has(uid)) return { uid, gid: uid }
  return undefined
}

/** Real, effective, saved and file system uid of every process (proc_pid_status(5)): any of the four is enough to be traced by. */
const uidsInUse = (): ReadonlySet<number> =>
  new Set(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap(uidsOf),
  )

const uidsOf = (pid: string): readonly number[] => {
  try {
    const [, uids = ''] = /^Uid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return uids.split('\t').map(Number)
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return []
    throw error
  }
}
