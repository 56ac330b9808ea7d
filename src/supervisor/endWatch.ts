// Insists on the end of a run that was told to end: a group that is still there long after it was to be killed is stuck in
// the kernel, or the order was lost. Nothing is started in its place meanwhile; its data may still be written.
import { messageOf } from '../errors.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { Run } from './run.ts'

export interface EndWatchOptions {
  readonly clock: Clock
  readonly log: Log
  readonly instance: string
  readonly run: Run
  readonly how: 'stop' | 'kill'
  readonly stopTimeoutMs: number
}

/** Beyond the time after which the launcher kills the group. */
const stuckAfterMs = 10_000

/** Tells the run to end; returns how to call the watch off. */
export const endAndWatch = ({ clock, log, instance, run, how, stopTimeoutMs }: EndWatchOptions): (() => void) => {
  const unable = (error: unknown): void => log.error({ instance, error: messageOf(error) }, 'could not be told to end')
  const insist = (): void => {
    log.error({ instance, pid: run.process?.pid }, 'does not end, though it was killed')
    run.end('kill', unable)
    cancel = clock.setTimer(stuckAfterMs, insist)
  }
  let cancel = clock.setTimer(stopTimeoutMs + stuckAfterMs, insist)
  run.end(how, unable)
  return () => cancel()
}
