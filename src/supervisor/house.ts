// What every instance is given: the rules of its service, what it shares with the others, and what is its own.
import type { Service } from '../config/schema.ts'
import type { InstanceName } from '../names.ts'
import type { Breaker } from '../state/state.ts'
import type { Admission } from './admission.ts'
import type { Capacity } from './capacity.ts'
import type { Clock } from './clock.ts'
import type { IdleWatch } from './idle.ts'
import type { Log } from './log.ts'
import type { Process } from './process.ts'
import type { Report } from './report.ts'
import type { WaitingRoom } from './waitingRoom.ts'
import type { WakeBook } from './wakeBook.ts'
import type { WakeTimes } from './wakeTime.ts'

/** What an instance asks of its service. */
export type ServiceRules = Pick<
  Service,
  | 'name'
  | 'ready'
  | 'autostart'
  | 'queueMax'
  | 'startTimeoutMs'
  | 'stopTimeoutMs'
  | 'drainTimeoutMs'
  | 'idleTimeoutMs'
  | 'responseTimeoutMs'
  | 'liveness'
  | 'livenessStrict'
  | 'freezeAfterMs'
  | 'wakesMax'
  | 'flapGuard'
>

/** What all instances share. */
export interface House {
  readonly clock: Clock
  readonly log: Log
  readonly admission: Admission
  readonly capacity: Capacity
  readonly idle: IdleWatch
  readonly room: WaitingRoom
  readonly wakeBook: WakeBook
  /** How long the instances of each service take to wake: what to expect of one that was never seen waking. */
  readonly wakeTimes: Map<string, WakeTimes>
  readonly holdTimeoutMs: number
  readonly report: Report
  launch(name: InstanceName): Promise<Process>
  /** Keeps the breaker of 'service:id' for a later server; undefined closes it. Never throws. */
  keepBreaker(instance: string, breaker: Breaker | undefined): void
  /** From 0 to 1. */
  random(): number
}

export interface InstanceOptions {
  readonly name: InstanceName
  readonly rules: ServiceRules
  readonly house: House
  readonly isDisabled: boolean
  readonly isPaused: boolean
  /** Open since before this server. */
  readonly breaker: Breaker | undefined
}
