// What a machine holds that an instance could leave behind: processes, mounts, cgroups, files of the run. Looked at before the first
// start and after the last stop; what others make and remove meanwhile is waited for, and what stays is told.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export type Traces = ReadonlySet<string>

export interface Watched {
  /** Uids that nobody but the instances under proof has; absent where they run as the caller. */
  readonly uids: { readonly first: number; readonly last: number } | undefined
  /** Directory that every process of theirs names in its environment. */
  readonly root: string
  /** Name of the launcher's part of each cgroup hierarchy. */
  readonly ownCgroup: string
  /** Directories that hold nothing for good. */
  readonly passing: readonly string[]
}

export const tracesOf = (watched: Watched): Traces =>
  new Set([
    ...processesOf(watched),
    ...[...mounts(), ...cgroups()].filter((trace) => !isAnothers(trace, watched)),
    ...watched.passing.flatMap(filesIn),
  ])

/** Of another tenement, under test or in use on this machine; that of this one is named after its run directory. */
const isAnothers = (trace: string, { root, ownCgroup }: Watched): boolean =>
  trace.includes('tenement') && !trace.includes(root) && !trace.includes(ownCgroup)

/** What is there now and was not before; looked at again and again until there is nothing, or the time is up. */
export const leftSince = async (before: Traces, watched: Watched, timeoutMs: number): Promise<readonly string[]> => {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const left = [...tracesOf(watched)].filter((trace) => !before.has(trace))
    if (left.length === 0 || performance.now() > deadline) return left
    await delay(50)
  }
}

const processesOf = ({ uids, root }: Watched): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const status = read(`/proc/${pid}/status`)
      if (status === '' || /^State:\tZ/m.test(status)) return []
      const uid = Number(/^Uid:\t(\d+)/m.exec(status)?.[1])
      const isTenants = uids !== undefined && uid >= uids.first && uid <= uids.last
      const isNamed = read(`/proc/${pid}/environ`)
        .split('\0')
        .some((each) => each.startsWith(`HOME=${root}/`))
      return isTenants || isNamed ? [`process ${pid} (${read(`/proc/${pid}/comm`).trim()})`] : []
    })

/** Mount points of this process's view (proc_pid_mountinfo(5), field 5). */
const mounts = (): readonly string[] =>
  read('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `mount ${line.split(' ')[4]}`)

/** One that is empty: what still has processes is somebody's, or is told as these. */
const cgroups = (): readonly string[] =>
  foldersBelow('/sys/fs/cgroup', 8)
    .filter((path) => read(join(path, 'cgroup.procs')).trim() === '')
    .map((path) => `cgroup ${path}`)

const foldersBelow = (path: string, depth: number): readonly string[] =>
  depth === 0
    ? []
    : entries(path)
        .filter((entry) => entry.isDirectory())
        .flatMap((entry) => [join(path, entry.name), ...foldersBelow(join(path, entry.name), depth - 1)])

const filesIn = (path: string): readonly string[] => entries(path).map((entry) => `file ${join(path, entry.name)}`)

const entries = (path: string) => {
  try {
    return existsSync(path) ? readdirSync(path, { withFileTypes: true }) : []
  } catch {
    return [] // it went while it was looked for
  }
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // a process that has ended, or another user's
  }
}
