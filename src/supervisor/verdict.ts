// What the end of its run makes of an instance: whether it counts as a crash, and how long it had been ready by then. Pure.
import { type End, orderly, type PhaseState } from './phases.ts'
import { type Ending, isChoice, type Run } from './run.ts'

export interface Verdict {
  readonly isCrash: boolean
  /** What a crash costs depends on it; 0 where it was not ready. */
  readonly readyForMs: number
  /** By which it goes through 'stopping' before it rests; undefined where it rests, or has crashed, right from where it is. */
  readonly end?: End
}

const crashAfter = (readyForMs: number): Verdict => ({ isCrash: true, readyForMs })

/** `state` is the one in which the run ended, `nowMs` monotonic. */
export const verdictOf = (state: PhaseState, run: Run, ending: Ending, nowMs: number): Verdict => {
  switch (state.phase) {
    case 'ready':
      return isChoice(run, ending) ? { isCrash: false, readyForMs: 0 } : crashAfter(nowMs - state.sinceMs)
    // The same for one that was just thawed, except that somebody may wait.
    case 'frozen': {
      const end = orderly({ why: 'ended by itself', cause: 'chosen' })
      return isChoice(run, ending) ? { isCrash: false, readyForMs: 0, end } : crashAfter(nowMs - state.sinceMs)
    }
    case 'draining':
      return { ...state.end, end: state.end }
    case 'stopping':
      return state.end
    default:
      return crashAfter(0)
  }
}
