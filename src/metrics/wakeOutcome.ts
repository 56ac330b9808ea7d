// What came of a wake, read from the change of phase that ended it. Pure.
import type { PhaseChange } from '../supervisor/report.ts'

/** 'dropped': it ended before the start, as when the last who waited has left. 'stopped': it was ended by order. */
export const wakeOutcomes = ['ready', 'failed', 'stopped', 'dropped'] as const

type WakeOutcome = (typeof wakeOutcomes)[number]

/** Undefined for a change that ends no wake. */
export const wakeOutcome = ({
  before,
  phase,
  isFailing,
}: Pick<PhaseChange, 'before' | 'phase' | 'isFailing'>): WakeOutcome | undefined => {
  if (before === 'queued') return phase === 'starting' ? undefined : 'dropped'
  if (before !== 'starting') return undefined
  if (phase === 'ready') return 'ready'
  return phase === 'backoff' || isFailing ? 'failed' : 'stopped'
}
