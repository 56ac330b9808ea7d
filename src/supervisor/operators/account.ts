// What an operator is told who asks why an instance is in its phase: what brought it there, how it stopped the last time, and
// what happens next if nothing else does. Looked up when it is asked for; nothing is kept for it but the instance's history.
import type { Account, NextStep, Stopped, Woken } from '../../control/account.ts'
import type { InstanceName } from '../../names.ts'
import { formatInstance } from '../../names.ts'
import type { Clock } from '../clock.ts'
import type { History } from '../history.ts'
import type { IdleWatch } from '../idle.ts'
import type { Instance } from '../instance.ts'
import { runOf } from '../phases.ts'
import { isToFreeze, mayRest, restsAtMs } from '../rest.ts'
import { nextTryInMs } from '../standing.ts'
import { exitOf, timeOf } from './status.ts'

export interface AccountInputs {
  readonly name: InstanceName
  /** Undefined for one that nobody asked for yet. */
  readonly instance: Instance | undefined
  /** Why this machine cannot run its service. */
  readonly refused: string | undefined
  /** Milliseconds since the epoch. */
  readonly serverStartedAtMs: number
  readonly clock: Clock
  readonly idle: IdleWatch
}

const wokenOf = ({ woken }: History): Woken | null =>
  woken === undefined
    ? null
    : { at: timeOf(woken.atMs), by: woken.by, order: woken.order ?? null, request: woken.request ?? null }

const stoppedOf = ({ stopped, lastStop, lastExit }: History): Stopped | null => {
  if (stopped === undefined) return null
  const { atMs, cause, evictedFor } = stopped
  // An end without a process leaves the exit of an earlier run, which is not to be told as its own.
  const own = lastExit?.atMs === atMs ? lastExit.exit : undefined
  return {
    at: timeOf(atMs),
    cause,
    told: lastStop ?? '',
    evictedFor: evictedFor ?? null,
    exit: own === undefined ? null : { at: timeOf(atMs), ...exitOf(own) },
    lastLines: own?.lastLines ?? [],
  }
}

/** Milliseconds since the epoch; undefined when this server found it in its phase. */
const sinceMsOf = ({ state, chronicle }: Instance, clock: Clock): number | undefined =>
  state.phase === 'starting' || state.phase === 'ready'
    ? clock.wallMs() - (clock.nowMs() - state.sinceMs)
    : chronicle.history.sinceMs

interface Step {
  readonly step: NextStep
  /** Milliseconds from now. */
  readonly inMs?: number | undefined
}

const stepOf = (instance: Instance, clock: Clock, idle: IdleWatch): Step => {
  const { state, rules, chronicle } = instance
  const leftOf = (boundMs: number): number =>
    Math.max((chronicle.history.sinceMs ?? clock.wallMs()) + boundMs - clock.wallMs(), 0)
  const restInMs = (): number => Math.max(restsAtMs(instance, idle.nowMs()) - idle.nowMs(), 0)
  switch (state.phase) {
    case 'asleep':
      return { step: 'wake' }
    case 'queued':
      return { step: 'start' }
    case 'starting':
      return { step: 'deadline', inMs: Math.max(state.sinceMs + rules.startTimeoutMs - clock.nowMs(), 0) }
    case 'ready':
      if (isStaying(instance)) return { step: 'stay' }
      return { step: isToFreeze(instance) ? 'freeze' : 'sleep', inMs: restInMs() }
    case 'frozen':
      return rules.idleTimeoutMs === undefined ? { step: 'wake' } : { step: 'sleep', inMs: restInMs() }
    case 'draining':
      return { step: 'stop', inMs: state.isRevocable ? 0 : leftOf(rules.drainTimeoutMs) }
    case 'stopping':
      return { step: 'kill', inMs: leftOf(rules.stopTimeoutMs) }
    case 'backoff':
      return { step: 'retry', inMs: nextTryInMs(instance) }
    case 'crashlooped':
      return { step: 'try', inMs: nextTryInMs(instance) }
    case 'paused':
      return { step: 'resume' }
    case 'disabled':
      return { step: 'enable' }
  }
}

const isStaying = (instance: Instance): boolean => !mayRest(instance) || (runOf(instance.state)?.active ?? 0) > 0

export const accountOf = (inputs: AccountInputs): Account => {
  const { name, instance, refused, serverStartedAtMs, clock, idle } = inputs
  const sinceMs = instance === undefined ? undefined : sinceMsOf(instance, clock)
  const idleStep: Step = { step: 'wake' }
  const { step, inMs }: Step = instance === undefined ? idleStep : stepOf(instance, clock, idle)
  return {
    instance: formatInstance(name),
    phase: instance?.state.phase ?? 'asleep',
    since: sinceMs === undefined ? null : timeOf(sinceMs),
    serverSince: timeOf(serverStartedAtMs),
    woken: instance === undefined ? null : wokenOf(instance.chronicle.history),
    stopped: instance === undefined ? null : stoppedOf(instance.chronicle.history),
    next:
      refused === undefined
        ? { step, at: inMs === undefined ? null : timeOf(clock.wallMs() + inMs) }
        : { step: 'refused', at: null },
    active: instance === undefined ? 0 : (runOf(instance.state)?.active ?? 0),
    waiting: instance?.demand?.waiting ?? 0,
    crashesInARow: instance?.crashes.inARow ?? 0,
    idleTimeoutMs: instance?.rules.idleTimeoutMs ?? null,
    refused: refused ?? null,
  }
}
