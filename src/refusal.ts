// Why a request was not handed to an instance. The supervisor throws it, the router turns it into a 503.
// Only cases where not one byte reached the instance belong here: such an answer is always safe to retry.

/** The token clients see as `x-tenement-reason`. */
export type RefusalReason =
  | 'waking'
  | 'queue_full'
  | 'capacity'
  | 'start_failed'
  | 'backoff'
  | 'crashloop'
  | 'disabled'
  | 'paused'
  | 'stopped'
  | 'unavailable'
  | 'unreachable'
  | 'shutting_down'

/** A request that was not handed over, with the time after which another try makes sense. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly reason: RefusalReason
  /** Milliseconds until another try makes sense; absent when tenement cannot tell. */
  readonly retryAfterMs: number | undefined

  constructor(reason: RefusalReason, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.reason = reason
    this.retryAfterMs = options.retryAfterMs
  }
}
