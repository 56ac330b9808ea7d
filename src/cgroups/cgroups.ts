// Bounds on what a run may use, kept by the kernel: the launcher's way in to everything here. Made once, when the launcher starts
// and before it has started anything, since on version 2 it first moves itself out of the cgroup it divides.
// It knows nothing of launches, uids or adapters; a bound that cannot be kept is an error, never left out.
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { detectHomes } from './detect.ts'
import { tryRemove } from './files.ts'
import { directoryOf, membershipsIn } from './hierarchies.ts'
import type { SignalIf } from './kill.ts'
import { removeLeftoversOf } from './leftovers.ts'
import { type CgroupMachine, thisMachine } from './machine.ts'
import { makeRunCgroup, type RunCgroup } from './runCgroup.ts'
import type { Bounds, Resource, ResourceSupport } from './support.ts'
import { distinctTrees, isTree, makeTrees, type Tree, type Trees } from './tree.ts'

export interface Cgroups {
  readonly support: ResourceSupport
  /** Throws, leaving nothing behind, when a bound asked for cannot be kept; the message names its capability. */
  make(run: string, bounds: Bounds): RunCgroup
  /**
   * Begins the wait that a process joining version 2 after a quiet time would meet, so that a launch may do something else
   * meanwhile: a move of this process to where it is already. Measured: the joins after it take 1 ms instead of 5 to 17. Does
   * nothing where joining needs no wait. Never rejects: what is wrong will be told by joining.
   */
  warmUp(): Promise<void>
  /** Ends and removes what an earlier launcher of this run directory left; resolves with the runs that still hold processes. */
  removeLeftovers(): Promise<readonly string[]>
  /** Removes the launcher's own directories, as far as no run is left in them. */
  close(): void
}

export interface CgroupsOptions {
  readonly runDir: string
  readonly signalIf: SignalIf
  readonly machine?: CgroupMachine
}

const supportOf = (trees: Trees): ResourceSupport => {
  const entries = Object.entries(trees).map(([resource, found]) => [resource, isTree(found) ? 'enforced' : found])
  return Object.fromEntries(entries) as Record<Resource, ResourceSupport[Resource]>
}

/** The cgroup this process is in now, which a start on version 2 has changed. */
const ownProcs = ({ hierarchy }: Tree): string => {
  const own = membershipsIn(readFileSync('/proc/self/cgroup', 'utf8')).get(hierarchy.key) ?? hierarchy.own
  return join(directoryOf(hierarchy, own), 'cgroup.procs')
}

export const createCgroups = ({ runDir, signalIf, machine = thisMachine() }: CgroupsOptions): Cgroups => {
  const trees = makeTrees(detectHomes(machine), runDir)
  const all = distinctTrees(Object.values(trees))
  return {
    support: supportOf(trees),
    make: (run, bounds) => makeRunCgroup(trees, run, bounds, signalIf),
    warmUp: async () => {
      const tree = all.find(({ hierarchy }) => hierarchy.version === 2)
      if (tree !== undefined)
        await writeFile(ownProcs(tree), String(process.pid), { flag: 'r+' }).catch(() => undefined)
    },
    removeLeftovers: () => removeLeftoversOf(all, trees.kill, signalIf),
    close: () => {
      for (const { directory } of all) tryRemove(directory)
    },
  }
}
