// What goes on while an instance is in a phase: timers, questions and watches, made together with the phase that holds them and let go
// by its `leave`. What comes of them is told to the instance, which alone changes its phase.
import { thaw } from './freezing.ts'
import type { Instance } from './instance.ts'
import { type End, failedStart, notThawed, type PhaseState } from './phases.ts'
import { watchReady } from './readyWatch.ts'
import type { Run } from './run.ts'
import { watchStart } from './startWatch.ts'

/** A phase that a run is in since `sinceMs`, monotonic. */
export interface Lasting {
  readonly run: Run
  readonly sinceMs: number
}

interface Ends {
  /** Called at most once, when the run is to be ended. */
  onEnd(end: End): void
}

/** `onReady` is told how long it took. */
export const starting = (
  instance: Instance,
  { run, sinceMs }: Lasting,
  { onReady, onEnd }: Ends & { onReady(durationMs: number): void },
): PhaseState => {
  const { clock, admission } = instance.house
  const { ready, startTimeoutMs: timeoutMs } = instance.rules
  const callOff = watchStart({
    ...{ clock, run, ready, timeoutMs, leftMs: sinceMs + timeoutMs - clock.nowMs() },
    onReady: () => onReady(clock.nowMs() - sinceMs),
    onFailed: (why) => onEnd(failedStart(why)),
  })
  const leave = (): void => {
    callOff()
    admission.finish(instance)
  }
  return { phase: 'starting', run, sinceMs, leave }
}

/** The idle watch finds it when it is told to look, which is when it is in this phase. */
export const ready = (
  instance: Instance,
  { run, sinceMs, mayFreeze }: Lasting & { readonly mayFreeze: boolean },
  { onEnd }: Ends,
): PhaseState => {
  const callOff = watchReady(instance, run, sinceMs, onEnd)
  const leave = (): void => {
    callOff()
    instance.house.idle.unwatch(instance)
  }
  return { phase: 'ready', run, sinceMs, mayFreeze, leave }
}

interface Frozen extends Lasting {
  readonly isHeld: Promise<boolean>
}

export const frozen = (instance: Instance, { run, sinceMs, isHeld }: Frozen): PhaseState => ({
  ...{ phase: 'frozen', run, sinceMs, isHeld, isThawing: false },
  leave: () => instance.house.idle.unwatch(instance),
})

/** Whoever asked waits until it has shown that it lives, for a second at most: nothing is handed to a process that does not. */
export const thawing = (
  { house: { clock }, rules }: Instance,
  { run, sinceMs, isHeld }: Frozen,
  { onAlive, onEnd }: Ends & { onAlive(): void },
): PhaseState => {
  const leave = thaw({ clock, run, rules, isHeld, onAlive, onDead: () => onEnd(notThawed) })
  return { phase: 'frozen', run, sinceMs, isHeld, isThawing: true, leave }
}

/** It ends when nobody uses it any more, and after `ms` in any case. */
export const draining = (
  { house: { clock } }: Instance,
  {
    run,
    sinceMs,
    end,
    isRevocable,
    ms,
  }: Lasting & { readonly end: End; readonly isRevocable: boolean; readonly ms: number },
  { onEnd }: Ends,
): PhaseState => {
  const leave = clock.setTimer(ms, () => onEnd(end))
  return { phase: 'draining', run, sinceMs, isRevocable, end, leave }
}
