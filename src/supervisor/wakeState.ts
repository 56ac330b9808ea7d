// A phase → what anybody who knows the host may know of it: how far a wake under way is. Pure.
// Whether an instance that does not wake sleeps or runs is told to nobody: both are 'done', and asking for the page shows which.
import type { WakeState } from '../router/wake.ts'
import type { PhaseState } from './phases.ts'

export interface Wakening {
  readonly state: PhaseState
  /** Monotonic, as the times in the state. */
  readonly nowMs: number
  /** Until a next start may be tried; undefined when nothing is in the way. */
  readonly nextTryInMs: number | undefined
  /** How many start before it, where that is known. */
  readonly ahead: number | undefined
  /** Somebody waits for it, so it starts again when what runs has ended. */
  readonly isAwaited: boolean
}

export const wakeStateOf = ({ state, nowMs, nextTryInMs = 0, ahead, isAwaited }: Wakening): WakeState => {
  const { phase } = state
  if (phase === 'queued') return { state: 'queued', ahead }
  if (phase === 'starting') return { state: 'starting', forMs: nowMs - state.sinceMs }
  if (phase === 'backoff') return { state: 'backoff', retryInMs: nextTryInMs }
  if (phase === 'paused') return { state: 'paused' }
  if (phase === 'crashlooped' && nextTryInMs > 0) return { state: 'failed' }
  const isEnding = phase === 'draining' || phase === 'stopping'
  return isEnding && isAwaited ? { state: 'queued', ahead: undefined } : { state: 'done' }
}
