// What `why` tells of an instance: how it came into its phase, how it last stopped, and what happens next. The types, and how
// they are read from JSON. Times are RFC 3339, durations milliseconds.
import { type Decoder, list, nullable, number, object, oneOf, text } from './decode.ts'
import { type LastExit, type Phase, phases, type Waker, wakers } from './operations.ts'
import { lastExit } from './wire.ts'

/** 'browser': somebody going to a page; 'upgrade': a WebSocket or another protocol; 'program': everything else. */
const clientKinds = ['browser', 'upgrade', 'program'] as const
export type ClientKind = (typeof clientKinds)[number]

/** Why an instance stopped. 'chosen': it ended by itself, in order and unused; 'earlier': an earlier server was stopping it. */
const stopCauses = ['idle', 'evicted', 'operator', 'crash', 'chosen', 'earlier'] as const
export type StopCause = (typeof stopCauses)[number]

/**
 * What happens next if nothing else does.
 * 'wake': nothing, until a request. 'start': its turn comes. 'deadline': it is ready, or ended at `at`. 'sleep': it is put to
 * sleep at `at`. 'freeze': it is held still at `at`. 'stay': it is in use, or never put to sleep. 'stop': what it still answers is over, at `at` at the latest.
 * 'kill': it ends, at `at` at the latest. 'retry': the next try, at `at`. 'try': from `at` on a request may try.
 * 'enable', 'resume': an operator says so. 'refused': this machine cannot run it.
 */
const nextSteps = [
  'wake',
  'start',
  'deadline',
  'freeze',
  'sleep',
  'stay',
  'stop',
  'kill',
  'retry',
  'try',
  'enable',
  'resume',
  'refused',
] as const
export type NextStep = (typeof nextSteps)[number]

/** The request that had an instance started: nothing a client wrote but method and host. */
export interface WakingRequest {
  readonly method: string
  readonly host: string
  readonly client: ClientKind
}

export interface Woken {
  readonly at: string
  readonly by: Waker
  /** The command of the operator, such as "wake"; null when it was none. */
  readonly order: string | null
  /** The request that waited for it first; null when none did. */
  readonly request: WakingRequest | null
}

export interface Stopped {
  readonly at: string
  readonly cause: StopCause
  /** In a sentence: 'idle for 5m', 'exited with code 3 after 12s'. */
  readonly told: string
  /** The instance it made room for. */
  readonly evictedFor: string | null
  /** Null when it was never a process. */
  readonly exit: LastExit | null
  /** The last lines it wrote, oldest first, at most 20. */
  readonly lastLines: readonly string[]
}

export interface Account {
  readonly instance: string
  readonly phase: Phase
  /** Since when it is in this phase; null when that was so before this server started, or it never ran. */
  readonly since: string | null
  /** When this server started: of what was before it knows nothing. */
  readonly serverSince: string
  /** Its last start; null when this server has not started it. */
  readonly woken: Woken | null
  /** Its last end; null when this server has seen none. */
  readonly stopped: Stopped | null
  readonly next: { readonly step: NextStep; readonly at: string | null }
  /** Requests being served, and requests that wait for it. */
  readonly active: number
  readonly waiting: number
  /** Crashes since it last stayed ready for a minute. */
  readonly crashesInARow: number
  /** How long it may go unused; null where that is for ever, and while nobody has asked for it yet. */
  readonly idleTimeoutMs: number | null
  /** Why this machine cannot run its service; null where it can. */
  readonly refused: string | null
}

const wakingRequest: Decoder<WakingRequest> = object({ method: text, host: text, client: oneOf(clientKinds) })

const woken: Decoder<Woken> = object({
  at: text,
  by: oneOf(wakers),
  order: nullable(text),
  request: nullable(wakingRequest),
})

const stopped: Decoder<Stopped> = object({
  at: text,
  cause: oneOf(stopCauses),
  told: text,
  evictedFor: nullable(text),
  exit: nullable(lastExit),
  lastLines: list(text),
})

export const account: Decoder<Account> = object({
  instance: text,
  phase: oneOf(phases),
  since: nullable(text),
  serverSince: text,
  woken: nullable(woken),
  stopped: nullable(stopped),
  next: object({ step: oneOf(nextSteps), at: nullable(text) }),
  active: number,
  waiting: number,
  crashesInARow: number,
  idleTimeoutMs: nullable(number),
  refused: nullable(text),
})
