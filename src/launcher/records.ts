// What the next launcher needs to end what this one left behind, should this one die: one small file for each run. A process
// is ended only when boot, pid and start time all prove that it is the one recorded; anything else is left alone.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FirstProcess, type Group, type Leader, statOf } from './processes.ts'
import type { Policy } from './protocol.ts'

interface Record {
  readonly boot: string
  readonly run: string
  readonly pid: number
  readonly startTicks: number
  readonly uid: number | null
  readonly first: FirstProcess | null
  readonly privileged: boolean
}

/** The kernel's name for the time since it was started (proc(5)): pids of another boot mean nothing. */
const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()

const directoryOf = (runDir: string): string => join(runDir, 'launcher')

interface Whose {
  readonly identity: { readonly uid: number } | undefined
  readonly privileged?: boolean
}

/** How the processes of a run are known. */
export const groupOf = (
  run: string,
  leader: Leader | undefined,
  { identity, privileged = false }: Whose,
  first?: FirstProcess,
): Group =>
  identity === undefined
    ? { kind: 'session', leader, run, first }
    : { kind: 'uid', uid: identity.uid, first, ...(privileged ? { root: { leader, run } } : {}) }

/** The process of this number now; undefined when it has ended and been reaped. */
export const leaderOf = (pid: number): Leader | undefined => {
  const startTicks = statOf(pid)?.startTicks
  return startTicks === undefined ? undefined : { pid, startTicks }
}

export interface Recorded {
  readonly run: string
  /** Undefined before there is a process: then its uid alone tells what has to be ended. */
  readonly pid: number | undefined
  readonly uid: number | undefined
  readonly first: FirstProcess | undefined
  readonly privileged: boolean
}

/** Records a run. A run that ended in the same moment has no start time any more and needs no record. */
export const writeRecord = (runDir: string, { run, pid, uid, first, privileged }: Recorded): void => {
  const startTicks = pid === undefined ? 0 : statOf(pid)?.startTicks
  if (startTicks === undefined) return
  const what = { boot: bootId(), run, pid: pid ?? 0, startTicks, privileged }
  const record: Record = { ...what, uid: uid ?? null, first: first ?? null }
  const file = join(directoryOf(runDir), `${run}.json`)
  writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** The namespace's first process of a run, once it is held and as long as it is the one recorded. Throws where the record may not be read. */
export const recordedFirst = (runDir: string, run: string): FirstProcess | undefined => {
  const [record] = recordsFrom(join(directoryOf(runDir), `${run}.json`))
  return record === undefined || record.boot !== bootId() ? undefined : provedFirst(record)
}

export const removeRecord = (runDir: string, run: string): void => {
  rmSync(join(directoryOf(runDir), `${run}.json`), { force: true })
}

export interface Leftover {
  readonly run: string
  readonly pid: number
  readonly group: Group
}

/** The runs of an earlier launcher that may still have processes. A file that cannot be read proves nothing and is passed over. */
export const findLeftovers = (runDir: string, tenantUids: Policy['tenantUids']): Leftover[] => {
  const boot = bootId()
  return recordsIn(directoryOf(runDir))
    .filter((record) => record.boot === boot)
    .filter(
      ({ uid }) => uid === null || (tenantUids !== undefined && uid >= tenantUids.first && uid <= tenantUids.last),
    )
    .map((record) => ({
      run: record.run,
      pid: record.pid,
      group: groupOf(record.run, provedLeader(record), whoseOf(record), provedFirst(record)),
    }))
}

const whoseOf = ({ uid, privileged }: Record): Whose => ({ identity: uid === null ? undefined : { uid }, privileged })

/** The session's leader while it is the process that was recorded; without one only the marker counts. */
const provedLeader = ({ pid, startTicks }: Record): Leader | undefined =>
  statOf(pid)?.startTicks === startTicks ? { pid, startTicks } : undefined

/** A namespace's inode may be another's by now: it counts only while its first process is the one that was recorded. */
const provedFirst = ({ first }: Record): FirstProcess | undefined =>
  first !== null && statOf(first.pid)?.startTicks === first.startTicks ? first : undefined

const recordsIn = (directory: string): Record[] => {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => recordsFrom(join(directory, name)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** None where the file is gone or says nothing that can be used. */
const recordsFrom = (file: string): Record[] => {
  try {
    return parseRecord(readFileSync(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const parseRecord = (text: string): Record[] => {
  try {
    const { boot, run, pid, startTicks, uid, first = null, privileged = false } = JSON.parse(text) as Partial<Record>
    const isWhole =
      typeof boot === 'string' &&
      typeof run === 'string' &&
      /^[0-9a-f]{12}$/.test(run) &&
      Number.isSafeInteger(pid) &&
      Number.isSafeInteger(startTicks) &&
      (uid === null || Number.isSafeInteger(uid)) &&
      (first === null || isFirst(first)) &&
      typeof privileged === 'boolean'
    return isWhole
      ? [{ boot, run, pid: pid ?? 0, startTicks: startTicks ?? 0, uid: uid ?? null, first, privileged }]
      : []
  } catch {
    return []
  }
}

const isFirst = (value: unknown): value is FirstProcess => {
  if (typeof value !== 'object' || value === null) return false
  const { pid, startTicks, namespace } = value as Partial<FirstProcess>
  return [pid, startTicks, namespace].every(Number.isSafeInteger)
}
