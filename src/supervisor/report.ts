// What the supervisor tells of what happens, as plain values to one function: whoever counts or shows it gives the function.
// It is told after the fact, changes nothing, and must not throw.
import type { Phase, Waker } from '../control/operations.ts'
import type { InstanceName } from '../names.ts'
import type { PhaseState } from './phases.ts'
import type { WakeSteps } from './wakeTimer.ts'

export type Report = (told: Told) => void

export type Told = PhaseChange | RunEnd | FirstAnswer | Evicted | Crashed

/** Of one instance, told in the tick in which it changed. */
export interface PhaseChange {
  readonly kind: 'phase'
  readonly name: InstanceName
  readonly before: Phase
  readonly phase: Phase
  /** A sentence for operators; absent where the phases say it all. */
  readonly why: string | undefined
  /** Milliseconds since the epoch. */
  readonly atMs: number
  readonly pid: number | undefined
  /** Whether it is being ended for a failure of its own. */
  readonly isFailing: boolean
  /** The wake that is under way or was just decided; absent for a process that an earlier server started. */
  readonly wake: { readonly cause: Waker; readonly steps: WakeSteps } | undefined
}

/** The last process of a run is gone, or there never was one. The change of phase that follows from it is told next. */
export interface RunEnd {
  readonly kind: 'end'
  readonly name: InstanceName
  readonly phase: Phase
  readonly why: string | undefined
  readonly atMs: number
  readonly pid: number | undefined
}

/** The head of the first answer of a run came so long after the request had been let in. */
export interface FirstAnswer {
  readonly kind: 'first answer'
  readonly name: InstanceName
  readonly tookMs: number
}

/** It was told to end to make room for another. */
export interface Evicted {
  readonly kind: 'evicted'
  readonly name: InstanceName
}

export interface Crashed {
  readonly kind: 'crashed'
  readonly name: InstanceName
}

/** Why a phase was entered, as far as phases and the last end tell. */
export const whyOf = (before: PhaseState, next: PhaseState, lastStop: string | undefined): string | undefined => {
  if ('end' in next) return next.end.why
  return ('run' in before && !('run' in next)) || next.phase === 'crashlooped' ? lastStop : undefined
}
