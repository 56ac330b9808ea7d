// When an instance that nobody uses may rest, how it rests, and from when on it may make room for others. Pure.
import type { ServiceRules } from './house.ts'
import { isUnused, type PhaseState } from './phases.ts'

/** An instance that was just woken is not stopped for another: two that take turns would do nothing but start. */
const shortestStayMs = 5_000

export interface Use {
  readonly state: PhaseState
  readonly rules: Pick<ServiceRules, 'idleTimeoutMs' | 'freezeAfterMs'>
  /** Idle-clock time of the end of the last lease, or of becoming ready. */
  readonly lastUsedMs: number
  /** Idle-clock time until which it is not idle whatever happens. */
  readonly keptAwakeUntilMs: number
}

/** Whether its next rest is to be frozen rather than to sleep. */
export const isToFreeze = ({ state, rules }: Pick<Use, 'state' | 'rules'>): boolean => {
  const { idleTimeoutMs = Number.POSITIVE_INFINITY, freezeAfterMs = Number.POSITIVE_INFINITY } = rules
  return state.phase === 'ready' && state.mayFreeze && freezeAfterMs < idleTimeoutMs
}

/** What is started with tenement and never put to sleep is meant to be there, asked for or not. */
export const isAlwaysOn = ({ autostart, idleTimeoutMs }: Pick<ServiceRules, 'autostart' | 'idleTimeoutMs'>): boolean =>
  autostart && idleTimeoutMs === undefined

/** Whether it rests at all by being unused. */
export const mayRest = (use: Pick<Use, 'state' | 'rules'>): boolean =>
  use.rules.idleTimeoutMs !== undefined || isToFreeze(use)

/** Idle-clock milliseconds at which it would rest if nothing happened from now on. */
export const restsAtMs = (use: Use, nowMs: number): number => {
  const { state, rules, lastUsedMs, keptAwakeUntilMs } = use
  const { idleTimeoutMs = Number.POSITIVE_INFINITY, freezeAfterMs } = rules
  const patienceMs = isToFreeze(use) && freezeAfterMs !== undefined ? freezeAfterMs : idleTimeoutMs
  const idleMs = (isUnused(state) ? lastUsedMs : nowMs) + Math.max(patienceMs, 1)
  return Math.max(idleMs, keptAwakeUntilMs)
}

/** Monotonic time from which it may be stopped for others; undefined while it is in use or not ready. */
export const evictableFromMs = (state: PhaseState): number | undefined =>
  isUnused(state) ? state.sinceMs + shortestStayMs : undefined
