// What the router asks of the rest of tenement: an awake instance for a name. It never learns who wakes it, or how.
import type { Socket } from 'node:net'

/** How an awake instance is reached. One object per start of the instance: a new start is a new endpoint. */
export interface Endpoint {
  /** Opens one new connection; rejects when the instance does not accept it. */
  connect(): Promise<Socket>
  /** Aborts in the moment the instance must get no further request; connections kept open to it are closed then. */
  readonly gone: AbortSignal
  /** Milliseconds from the last byte of the request that moved to the head of the response. */
  readonly responseTimeoutMs: number
}

/** Permission to use an awake instance. It stays awake until every lease on it is released. */
export interface Lease {
  readonly endpoint: Endpoint
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
  readonly gone: AbortSignal
  /** Milliseconds since the epoch of the request's arrival; the hold time counts from here. */
  readonly arrivedAtMs: number
  /** Absent where nobody can tell. */
  readonly caller?: Caller
}

/** Resolves with a lease once the instance 'service:id' is ready; rejects with a Refusal when that cannot be had in time. */
export type Wake = (instance: string, context: WakeContext) => Promise<Lease>
