// What the router asks of the rest of tenement: an awake instance for a name. It never learns who wakes it, or how.
import type { Socket } from 'node:net'
import type { Gone } from '../departure.ts'

/** How an awake instance is reached. One object per start of the instance: a new start is a new endpoint. */
export interface Endpoint {
  /** Opens one new connection; rejects when the instance does not accept it. */
  connect(): Promise<Socket>
  /** Aborts in the moment the instance must get no further request; connections kept open to it are closed then. */
  readonly gone: Gone
  /** Milliseconds from the last byte of the request that moved to the head of the response. */
  readonly responseTimeoutMs: number
}

/** Permission to use an awake instance. It stays awake until every lease on it is released. */
export interface Lease {
  readonly endpoint: Endpoint
  /** How long the request waited for it, in milliseconds: before a start of it began, and from then until it was ready. */
  readonly waited: { readonly queueMs: number; readonly wakeMs: number }
  /** The head of an answer has come from the instance. */
  answered(): void
  /** Ends the lease; calling it again does nothing. */
  release(): void
}

/** Who asks, as an operator may be told: nothing of what a client wrote but method and host. */
export interface Caller {
  readonly method: string
  readonly host: string
  readonly client: 'browser' | 'upgrade' | 'program'
}

export interface WakeContext {
  /** Aborts when the client leaves: the waiter is forgotten, the wake itself goes on. */
  readonly gone: Gone
  /** Milliseconds since the epoch of the request's arrival; the hold time counts from here. */
  readonly arrivedAtMs: number
  /** Absent where nobody can tell. Read only when it is to be told: finding out takes time. */
  readonly caller?: Caller | undefined
  /**
   * Whom it counts against where many wait, as a text that is the same for the same client; undefined for those who are not counted.
   * Read only of one who has to wait.
   */
  readonly countedAs?: string | undefined
}

/**
 * How far the wake of an instance is, for whoever is shown a page meanwhile. It says nothing of an instance that is not being
 * woken: 'done' is what is ready, what sleeps and what nobody ever woke.
 */
export type WakeState =
  /** `ahead`: how many start before it, where that is known. */
  | { readonly state: 'queued'; readonly ahead: number | undefined }
  /** Milliseconds since the start began. */
  | { readonly state: 'starting'; readonly forMs: number }
  /** It failed; milliseconds until the next try. */
  | { readonly state: 'backoff'; readonly retryInMs: number }
  /** It is held back for maintenance. */
  | { readonly state: 'paused' }
  /** It failed too often, and is left alone. */
  | { readonly state: 'failed' }
  | { readonly state: 'done' }

/** For those who look on while an instance wakes, without a place in its queue or a lease. */
export interface Onlookers {
  /** How far it is. Keeps up a wish that is there; wakes nothing, and remembers nothing of names nobody asked for. */
  look(instance: string): WakeState
  /** Called by one who waits and is about to stop waiting: what he waited for shall come all the same, while somebody looks. */
  wish(instance: string): void
}

/** Resolves with a lease once the instance 'service:id' is ready; rejects with a Refusal when that cannot be had in time. */
export type Wake = (instance: string, context: WakeContext) => Promise<Lease>
