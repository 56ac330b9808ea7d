// Watches an instance while it is ready: whether it still answers, and whether it has stayed ready for long enough to make up for
// its crashes. It knows nothing of phases.
import type { CrashBook } from './crashBook.ts'
import { recoveredMs } from './crashes.ts'
import type { House, ServiceRules } from './house.ts'
import { failuresToDie, watchLiveness } from './liveness.ts'
import { type End, unhealthy } from './phases.ts'
import type { Run } from './run.ts'

export interface Watched {
  readonly house: Pick<House, 'clock' | 'random'>
  readonly rules: Pick<ServiceRules, 'liveness' | 'livenessStrict'>
  readonly crashes: CrashBook
}

const nothing = (): void => undefined

/** `onDead` is called at most once. Returns how to call the watch off. */
export const watchReady = (watched: Watched, run: Run, sinceMs: number, onDead: (end: End) => void): (() => void) => {
  const recovery = watchRecovery(watched, sinceMs)
  const liveness = watchLife(watched, run, sinceMs, onDead)
  return () => {
    recovery()
    liveness()
  }
}

/** Needed only for an open breaker, which is to be closed in the state: else a crash looks back at how long it had been ready. */
const watchRecovery = ({ house: { clock }, crashes }: Watched, sinceMs: number): (() => void) =>
  crashes.isBreakerOpen
    ? clock.setTimer(Math.max(sinceMs + recoveredMs - clock.nowMs(), 0), () => crashes.recover())
    : nothing

const watchLife = (
  { house: { clock, random }, rules }: Watched,
  run: Run,
  sinceMs: number,
  onDead: (end: End) => void,
): (() => void) => {
  const { liveness: path, livenessStrict: isStrict } = rules
  const { process, receivedBytes } = run
  if (path === undefined || process === undefined) return nothing
  const why = `did not answer "${path}" ${failuresToDie} times in a row`
  return watchLiveness({
    ...{ clock, process, path, isStrict, random, receivedBytes },
    onDead: () => onDead(unhealthy(why, clock.nowMs() - sinceMs)),
  })
}
