// How much memory instances use: the resident memory of a process and all that descend from it or share its session, from one
// pass over /proc. Pages that several processes share count for each of them, so the sum is an upper bound.
import { readdirSync, readFileSync } from 'node:fs'

interface Entry {
  readonly pid: number
  readonly parent: number
  readonly session: number
  readonly bytes: number
}

/** Bytes by pid of an instance's first process, as of this moment; undefined when nothing of it is left. */
const readMemory = (): ((pid: number) => number | undefined) => {
  const entries = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? readEntry(name) : []))
  const childrenOf = groupBy(entries, ({ parent }) => parent)
  const inSession = groupBy(entries, ({ session }) => session)
  return (pid) => {
    const own = new Set(inSession.get(pid))
    // A set is walked in the order of insertion, those added meanwhile included.
    for (const entry of own) for (const child of childrenOf.get(entry.pid) ?? []) own.add(child)
    return own.size === 0 ? undefined : [...own].reduce((sum, { bytes }) => sum + bytes, 0)
  }
}

const groupBy = (entries: readonly Entry[], keyOf: (entry: Entry) => number): ReadonlyMap<number, readonly Entry[]> => {
  const groups = new Map<number, Entry[]>()
  for (const entry of entries) {
    const group = groups.get(keyOf(entry))
    if (group === undefined) groups.set(keyOf(entry), [entry])
    else group.push(entry)
  }
  return groups
}

/** Parent and resident memory from /proc/PID/status, the session from field 6 of /proc/PID/stat (proc(5)). */
const readEntry = (name: string): readonly Entry[] => {
  try {
    const status = readFileSync(`/proc/${name}/status`, 'latin1')
    const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
    const numberOf = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
    const session = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3])
    return [{ pid: Number(name), parent: numberOf('PPid'), session, bytes: numberOf('VmRSS') * 1024 }]
  } catch {
    return [] // it ended while it was looked at
  }
}

/** How long one pass over /proc serves: `ps` asks for every instance at once. */
const freshMs = 200

/** Reads memory on demand and not more often than it changes noticeably. `nowMs` is monotonic. */
export const memoryMeter = (nowMs: () => number): ((pid: number) => number | undefined) => {
  let last: { readonly atMs: number; readonly bytesOf: (pid: number) => number | undefined } | undefined
  return (pid) => {
    if (last === undefined || nowMs() - last.atMs > freshMs) last = { atMs: nowMs(), bytesOf: readMemory() }
    return last.bytesOf(pid)
  }
}
