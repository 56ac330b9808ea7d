// The cgroups of one run: made with their bounds before anything runs in them, asked while it runs, removed after it.
// Root's (or the caller's) alone: a tenant finds neither a file it may write nor a directory it may make one in.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { becomes, tryRemove } from './files.ts'
import { setFrozenIn } from './freeze.ts'
import { killAllIn, type SignalIf } from './kill.ts'
import { makePlaces, openJoinFiles, placeFor, placeOf } from './places.ts'
import type { Bounds } from './support.ts'
import type { Trees } from './tree.ts'

export interface Causes {
  /** The kernel killed a process of the run for want of memory. */
  readonly outOfMemory: boolean
  /** How often it refused the run a further process or thread. */
  readonly refusedForks: number
}

export interface RunCgroup {
  /**
   * Moves a process and all its threads, but not what it has already started. After a quiet time the kernel makes the first
   * move wait for an RCU grace period (5 to 17 ms measured), in the thread pool here; those that follow take 0.1 ms.
   */
  join(pid: number): Promise<void>
  /**
   * Open descriptors, each for a process with one thread to write "0" into, which joins it without that wait where version 1 is
   * in use. Opened with the launcher's rights, which are those the kernel asks about (CVE-2021-4197). The caller closes them.
   */
  joinFiles(): number[]
  /** Where the process is, as /proc/PID/cgroup writes it, for each hierarchy of the run; undefined unless it is in all of them. */
  placeOf(pid: number): string | undefined
  contains(pid: number): boolean
  /**
   * Kills everything in it, whatever it does meanwhile. Resolves false where this machine has no means for that, and when
   * something was left after ten seconds: a process in an uninterruptible wait.
   */
  kill(): Promise<boolean>
  /** Holds everything in it still, or lets it go on; false where this machine has no means for that. */
  setFrozen(isFrozen: boolean): boolean
  /** Undefined where the run has no cgroup at all. */
  isEmpty(): boolean | undefined
  /** To be asked before `remove`: the counts go with the directories. */
  causes(): Causes
  memoryBytes(): number | undefined
  /** Its directory that keeps a bound; undefined where none was set. */
  directoryFor(bound: 'memory' | 'cpu' | 'processes'): string | undefined
  /** Resolves when its directories are gone; rejects naming one in which a process is left. */
  remove(): Promise<void>
}

const killTimeoutMs = 10_000
/** The kernel may count a process as in its cgroup for a moment after its parent has heard of its end. */
const removeTimeoutMs = 2_000

/** Throws, leaving nothing behind, when one of the bounds cannot be kept. */
export const makeRunCgroup = (trees: Trees, run: string, bounds: Bounds, signalIf: SignalIf): RunCgroup => {
  const places = makePlaces(trees, run, bounds)
  const memory = placeFor(trees.memory, places)
  const processes = placeFor(trees.processes, places)
  const kill = placeFor(trees.kill, places)
  return {
    join: async (pid) => {
      for (const { directory } of places) await writeFile(join(directory, 'cgroup.procs'), String(pid), { flag: 'r+' })
    },
    joinFiles: () => openJoinFiles(places),
    placeOf: (pid) => placeOf(places, pid),
    contains: (pid) => placeOf(places, pid) !== undefined,
    kill: async () => kill !== undefined && killAllIn(kill, signalIf, killTimeoutMs),
    setFrozen: (isFrozen) => kill !== undefined && setFrozenIn(kill, isFrozen),
    isEmpty: () =>
      places.length === 0 ? undefined : places.every(({ tree, directory }) => tree.version.isEmpty(directory)),
    causes: () => ({
      outOfMemory: memory !== undefined && memory.tree.version.memoryKills(memory.directory) > 0,
      refusedForks: processes === undefined ? 0 : processes.tree.version.refusedForks(processes.directory),
    }),
    directoryFor: (bound) => placeFor(trees[bound], places)?.directory,
    memoryBytes: () => memory?.tree.version.memoryBytes(memory.directory),
    remove: async () => {
      for (const { directory } of places)
        if (!(await becomes(() => tryRemove(directory), removeTimeoutMs)))
          throw new Error(`cgroup ${directory} still holds a process`)
    },
  }
}
