// What a client may expect of an instance that is not ready, and what it is told when that is not enough. Pure.
import type { Phase } from '../control/operations.ts'
import type { Refusal } from '../refusal.ts'
import { refusals } from './refusals.ts'
import { expectedMs, expectedRestMs } from './wakeTime.ts'

export interface Outlook {
  readonly instance: string
  readonly phase: Phase
  /** Until a next start may be tried; undefined when nothing is in the way. */
  readonly nextTryInMs: number | undefined
  /** How long its wakes take; undefined when it was never seen waking. */
  readonly typicalMs: number | undefined
  /** How long the start under way has taken so far. */
  readonly startingForMs: number
  /** Nothing of it is started until an operator says so. */
  readonly isPaused: boolean
  /** As many instances run as may run at once. */
  readonly isFull: boolean
}

/** Why a request with so much time left need not wait; undefined when it may be served in time. */
export const refusalAtArrival = (outlook: Outlook, leftMs: number): Refusal | undefined => {
  const { instance, phase, nextTryInMs, typicalMs } = outlook
  if (nextTryInMs === undefined) return undefined
  if (phase === 'crashlooped') return nextTryInMs > 0 ? refusals.crashloop(instance, nextTryInMs) : undefined
  return nextTryInMs + expectedMs(typicalMs) < leftMs ? undefined : refusals.backoff(instance, nextTryInMs)
}

/** What a request is told that has waited for as long as it may. */
export const refusalAtDeadline = (outlook: Outlook): Refusal => {
  const { instance, phase, nextTryInMs, typicalMs, startingForMs, isFull, isPaused } = outlook
  if (isPaused) return refusals.paused(instance)
  if (phase === 'queued' && isFull) return refusals.capacity(instance)
  if (nextTryInMs !== undefined) return refusals.backoff(instance, nextTryInMs)
  if (phase === 'starting') return refusals.waking(instance, expectedRestMs(typicalMs, startingForMs))
  return refusals.waking(instance, expectedMs(typicalMs))
}
