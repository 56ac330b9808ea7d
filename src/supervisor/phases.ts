// The phases of an instance, what each carries for the next step, and which may follow which: one table, asserted on every
// change. Only instance.ts changes a phase. Taking over a process that an earlier server left is a beginning, not a change.
import type { StopCause } from '../control/account.ts'
import type { Phase } from '../control/operations.ts'
import type { Run } from './run.ts'

/** `leave` undoes what the phase holds (timers, places in queues), so that none of it outlives the phase. */
interface Held {
  readonly leave: () => void
}

/** Why an instance is to end and how: a sentence for status, and whether it counts as a crash. */
export interface End {
  readonly why: string
  readonly isCrash: boolean
  readonly cause: StopCause
  /** The instance that gets its place. */
  readonly evictedFor?: string
  /** 'kill': nothing of it is worth waiting for its stop signal. */
  readonly how: 'stop' | 'kill'
  /** How long it had been ready, which decides what a crash costs. */
  readonly readyForMs: number
}

/** What an end comes from that is no fault of the instance. */
export type Reason = Pick<End, 'why' | 'cause' | 'evictedFor'>

/** Idle, evicted, or ordered by somebody. */
export const orderly = (reason: Reason): End => ({ ...reason, isCrash: false, how: 'stop', readyForMs: 0 })

export const failedStart = (why: string): End => ({ why, isCrash: true, cause: 'crash', how: 'kill', readyForMs: 0 })

/** Whose own exit tells more than that it was ended. */
export const isFailedStart = ({ isCrash, how }: End): boolean => isCrash && how === 'kill'

/** It may still have data to write, so it is asked first. */
export const unhealthy = (why: string, readyForMs: number): End => ({
  ...{ why, readyForMs },
  isCrash: true,
  cause: 'crash',
  how: 'stop',
})

/** What did not survive being frozen has done nothing wrong itself: it is not counted. */
export const notThawed: End = {
  why: 'did not go on after it had been frozen',
  isCrash: false,
  cause: 'crash',
  how: 'kill',
  readyForMs: 0,
}

export type PhaseState =
  | { readonly phase: 'asleep' }
  /** `isRetry`: its last run failed, and it is tried again without anybody having asked anew. */
  | ({ readonly phase: 'queued'; readonly isRetry: boolean } & Held)
  | ({ readonly phase: 'starting'; readonly run: Run; readonly sinceMs: number } & Held)
  /** `mayFreeze`: this machine has not been found unable to freeze it. */
  | ({ readonly phase: 'ready'; readonly run: Run; readonly sinceMs: number; readonly mayFreeze: boolean } & Held)
  /** `isHeld`: whether the machine could do it. `isThawing`: somebody waits for it, and it is being asked whether it lives. */
  | ({
      readonly phase: 'frozen'
      readonly run: Run
      readonly sinceMs: number
      readonly isHeld: Promise<boolean>
      readonly isThawing: boolean
    } & Held)
  /** `isRevocable`: nobody ordered it, so a request that comes before the stop signal makes it ready again. */
  | ({
      readonly phase: 'draining'
      readonly run: Run
      readonly sinceMs: number
      readonly isRevocable: boolean
      readonly end: End
    } & Held)
  | ({ readonly phase: 'stopping'; readonly run: Run; readonly end: End } & Held)
  | ({ readonly phase: 'backoff'; readonly untilMs: number } & Held)
  | { readonly phase: 'crashlooped' }
  | { readonly phase: 'paused' }
  | { readonly phase: 'disabled' }

/** One value for all: thousands sleep. */
export const asleep: PhaseState = { phase: 'asleep' }

/** The start under way or running; undefined in phases without a process. */
export const runOf = (state: PhaseState): Run | undefined => ('run' in state ? state.run : undefined)

/** Running, and nobody uses it: it may be frozen, put to sleep, or make room for others. */
export const isUnused = (state: PhaseState): state is Extract<PhaseState, { phase: 'ready' | 'frozen' }> =>
  (state.phase === 'ready' && state.run.active === 0) || (state.phase === 'frozen' && !state.isThawing)

/** What may follow a phase. */
export const nextPhases: Readonly<Record<Phase, readonly Phase[]>> = {
  asleep: ['queued', 'paused', 'disabled'],
  queued: ['starting', 'asleep', 'paused', 'disabled'],
  starting: ['ready', 'stopping', 'backoff'],
  ready: ['frozen', 'draining', 'stopping', 'asleep', 'backoff'],
  frozen: ['ready', 'stopping', 'backoff'],
  draining: ['ready', 'stopping'],
  stopping: ['asleep', 'queued', 'backoff', 'paused', 'disabled'],
  backoff: ['queued', 'asleep', 'crashlooped', 'paused', 'disabled'],
  crashlooped: ['queued', 'asleep', 'paused', 'disabled'],
  paused: ['asleep', 'queued', 'crashlooped', 'disabled'],
  disabled: ['asleep', 'paused'],
}

/** Throws when tenement is about to do what its own table forbids: better no change than two processes on the same data. */
export const assertChange = (instance: string, from: Phase, to: Phase): void => {
  if (!nextPhases[from].includes(to)) throw new Error(`${instance} cannot go from ${from} to ${to}`)
}
