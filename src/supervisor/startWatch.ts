// Watches one start until it is ready or cannot become so. Whatever comes first counts; calling the watch off ends its timer
// and its probes, so that nothing of a start outlives it. An exit is not its business: the instance hears of that itself.
import type { Ready } from '../config/schema.ts'
import { messageOf } from '../errors.ts'
import { calledOff } from './calledOff.ts'
import type { Clock } from './clock.ts'
import type { Process } from './process.ts'
import { becomesReady } from './readiness.ts'
import type { Run } from './run.ts'
import { formatDuration } from './sentences.ts'

export interface StartWatchOptions {
  readonly clock: Clock
  readonly run: Run
  readonly ready: Ready
  /** The whole time allowed, and what is left of it. */
  readonly timeoutMs: number
  readonly leftMs: number
  onReady(): void
  /** `why` as in 'was not ready within 60s'. */
  onFailed(why: string): void
}

/** Returns how to call the watch off. */
export const watchStart = ({
  clock,
  run,
  ready,
  timeoutMs,
  leftMs,
  onReady,
  onFailed,
}: StartWatchOptions): (() => void) => {
  const over = new AbortController()
  const late = (): void => onFailed(`was not ready within ${formatDuration(timeoutMs)}`)
  const cancelTimer = clock.setTimer(Math.max(leftMs, 0), late)
  const answered = (): void => {
    if (!over.signal.aborted) onReady()
  }
  const failed = (error: unknown): void => {
    if (!over.signal.aborted) onFailed(`could not be asked whether it is ready: ${messageOf(error)}`)
  }
  const probe = (process: Process): Promise<void> =>
    becomesReady(clock, process, ready, over.signal).then(answered, failed)
  // A launch that fails ends the run, which the instance hears of.
  run.launched.then(probe, () => undefined)
  return () => {
    cancelTimer()
    over.abort(calledOff)
  }
}
