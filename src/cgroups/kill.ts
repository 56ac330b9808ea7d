// Ending everything in one cgroup, whatever it does meanwhile. Where the kernel has no command for it the cgroup is frozen first:
// what is frozen neither forks nor ends, so its list of pids is whole and stays true while each is killed; thawed, all die.
import { constants } from 'node:os'
import { becomes, pidsIn } from './files.ts'
import { isIn, type Place } from './places.ts'

/** Signals a process through a descriptor of it, after asking once more whether it is the one that is meant. */
export type SignalIf = (pid: number, signal: number, isStillMeant: () => boolean) => boolean

/** A task in an uninterruptible wait cannot be frozen before that ends; the others are killed without waiting for it any longer. */
const freezeTimeoutMs = 200

/**
 * Each look gives the order anew. The freezer of version 1 tells each process once; one that is told on its way into vfork() waits
 * there for its child, which is frozen already, and would count as not frozen for ever (7 of 300 shells that start programs).
 */
const holdsStill = ({ directory, tree: { version } }: Place): boolean => {
  version.setFrozen(directory, true)
  return version.isFrozen(directory)
}

const killFrozen = async (place: Place, signalIf: SignalIf): Promise<void> => {
  const { directory } = place
  const { version } = place.tree
  try {
    await becomes(() => holdsStill(place), freezeTimeoutMs)
    for (const pid of pidsIn(directory)) signalIf(pid, constants.signals.SIGKILL, () => isIn(place, pid))
  } finally {
    version.setFrozen(directory, false)
  }
}

/** Resolves true when nothing is left in the cgroup, false when something was still there after `timeoutMs`. */
export const killAllIn = async (place: Place, signalIf: SignalIf, timeoutMs: number): Promise<boolean> => {
  const { directory } = place
  const { version } = place.tree
  const deadline = performance.now() + timeoutMs
  while (!version.isEmpty(directory)) {
    if (performance.now() > deadline) return false
    if (!version.kill(directory)) await killFrozen(place, signalIf)
    await becomes(() => version.isEmpty(directory), Math.min(1_000, timeoutMs))
  }
  return true
}
