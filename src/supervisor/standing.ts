// What can be told of an instance as it stands: whether it sleeps, when it may be tried again, how far its wake is, and what one
// who waits may expect. Looked up when it is asked for; it changes nothing.
import type { WakeState } from '../router/wake.ts'
import type { Instance } from './instance.ts'
import type { Outlook } from './outlook.ts'
import { wakeStateOf } from './wakeState.ts'
import { longMs } from './wakeTime.ts'

/** Milliseconds until a next start may be tried; undefined when nothing is in the way. */
export const nextTryInMs = ({ state, house, crashes }: Instance): number | undefined => {
  if (state.phase === 'backoff') return Math.max(state.untilMs - house.clock.nowMs(), 0)
  return state.phase === 'crashlooped' ? crashes.closedForMs : undefined
}

/** Whether nothing of it runs or will, unless somebody asks for it: then it wakes. */
export const isAsleep = ({ state, bars, demand }: Instance): boolean => {
  if (bars.refusal !== undefined || demand?.isNone === false) return false
  if (state.phase === 'draining') return state.isRevocable
  if (state.phase === 'frozen') return !state.isThawing
  return state.phase === 'asleep' || (state.phase === 'stopping' && !state.end.isCrash)
}

/** Whether it would be the same if it were forgotten and made anew. */
export const isForgettable = ({ state, bars, crashes }: Instance): boolean =>
  state.phase === 'asleep' && bars.closed === undefined && crashes.isForgettable

/** How far its wake is, for those who look on. */
export const progressOf = (instance: Instance): WakeState => {
  const { state, demand, house } = instance
  return wakeStateOf({
    state,
    nowMs: house.clock.nowMs(),
    nextTryInMs: nextTryInMs(instance),
    ahead: state.phase === 'queued' ? house.admission.ahead(instance) : undefined,
    isAwaited: demand?.isAwaited ?? false,
  })
}

export const outlookOf = (instance: Instance): Outlook => {
  const { key, state, bars, chronicle, house } = instance
  const { wakeTimes } = chronicle
  return {
    instance: key,
    phase: state.phase,
    nextTryInMs: nextTryInMs(instance),
    wakeTimes,
    turnInMs: state.phase === 'queued' ? house.admission.turnInMs(instance, longMs(wakeTimes)) : 0,
    startingForMs: state.phase === 'starting' ? house.clock.nowMs() - state.sinceMs : 0,
    isPaused: bars.isPaused,
    isFull: house.admission.isFull(),
  }
}
