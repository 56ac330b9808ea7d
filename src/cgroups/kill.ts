// Ending everything in one cgroup, whatever it does meanwhile. Where the kernel has no command for it the cgroup is frozen first:
// what is frozen neither forks nor ends, so its list of pids is whole and stays true while each is killed; thawed, all die.
import { constants } from 'node:os'
import { becomes, pidsIn } from './files.ts'
import { isIn, type Place } from './places.ts'

/** Signals a process through a descriptor of it, after asking once more whether it is the one that is meant. */
export type SignalIf = (pid: number, signal: number, isStillMeant: () => boolean) => boolean

/** A task in an uninterruptible wait cannot be frozen before that ends; the others are killed without waiting for it any longer. */
const freezeTimeoutMs = 200

const killFrozen = async (place: Place, signalIf: SignalIf): Promise<void> => {
  const { directory } = place
  const { version } = place.tree
  version.setFrozen(directory, true)
  try {
    await becomes(() => version.isFrozen(directory), freezeTimeoutMs)
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
