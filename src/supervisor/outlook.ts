// What a client may expect of an instance that is not ready, and what it is told when that is not enough. Pure.
import type { Phase } from '../control/operations.ts'
import type { Refusal } from '../refusal.ts'
import { refusals } from './refusals.ts'
import { expectedMs, longMs, longRestMs, type WakeTimes } from './wakeTime.ts'

export interface Outlook {
  readonly instance: string
  readonly phase: Phase
  /** Until a next start may be tried; undefined when nothing is in the way. */
  readonly nextTryInMs: number | undefined
  /** How long its wakes take, or those of its service; undefined when none was ever seen. */
  readonly wakeTimes: WakeTimes | undefined
  /** Until its turn to start should come; 0 when it does not wait for one. */
  readonly turnInMs: number
  /** How long the start under way has taken so far. */
  readonly startingForMs: number
  /** Nothing of it is started until an operator says so. */
  readonly isPaused: boolean
  /** As many instances run as may run at once. */
  readonly isFull: boolean
}

/** Why a request with so much time left need not wait; undefined when it may be served in time. */
export const refusalAtArrival = (outlook: Outlook, leftMs: number): Refusal | undefined => {
  const { instance, phase, nextTryInMs, wakeTimes } = outlook
  if (nextTryInMs === undefined) return undefined
  if (phase === 'crashlooped') return nextTryInMs > 0 ? refusals.crashloop(instance, nextTryInMs) : undefined
  return nextTryInMs + expectedMs(wakeTimes) < leftMs ? undefined : refusals.backoff(instance, nextTryInMs)
}

/** Whether one who waits until `deadlineMs` cannot be served by a start at `tryAtMs`; both monotonic. */
export const isTooLate = (tryAtMs: number, wakeTimes: WakeTimes | undefined, deadlineMs: number): boolean =>
  tryAtMs + expectedMs(wakeTimes) >= deadlineMs

/** What a request is told that has waited for as long as it may. */
export const refusalAtDeadline = (outlook: Outlook): Refusal => {
  const { instance, phase, nextTryInMs, isFull, isPaused } = outlook
  if (isPaused) return refusals.paused(instance)
  if (phase === 'queued' && isFull) return refusals.capacity(instance)
  if (nextTryInMs !== undefined) return refusals.backoff(instance, nextTryInMs)
  return refusals.waking(instance, readyInMs(outlook))
}

/** When it should be ready, rather said too late than too early. */
const readyInMs = ({ phase, wakeTimes, turnInMs, startingForMs }: Outlook): number =>
  phase === 'starting' ? longRestMs(wakeTimes, startingForMs) : turnInMs + longMs(wakeTimes)

/** However long it takes to wake: those who wait are served as soon as it has, and their places are free. */
const longestFullMs = 5_000

/**
 * Milliseconds after which one should come back for whom there was no place to wait, spread from a second to the time of a
 * long wake: those told so are a crowd. `chance` from 0 to 1.
 */
export const fullRetryMs = (wakeTimes: WakeTimes | undefined, chance: number): number => {
  const latestMs = Math.min(Math.max(longMs(wakeTimes), 2_000), longestFullMs)
  return 1_000 + chance * (latestMs - 1_000)
}
