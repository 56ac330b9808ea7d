// Asks an instance that a request has a lease on, and deals with one that accepts no connection: it has often just ended, unknown to
// the supervisor, or runs all the same and may be opening its socket anew.
import { abortsWithin } from '../abortsWithin.ts'
import type { Gone } from '../departure.ts'
import type { Outcome } from './outcome.ts'
import { ConnectFailure, ConnectTimeout } from './pools.ts'
import type { Endpoint } from './wake.ts'

export interface Unreached {
  readonly endpoint: Endpoint
  /** Aborts when the client leaves. */
  readonly gone: Gone
  /** Called before the request is given to the instance, or to its next start, once more. */
  onRetry(): void
}

/** Asks; once more where nothing of the request has reached the instance. 'ended' where its next start should have it. */
export const retryUnreached = async (
  ask: () => Promise<Outcome>,
  { endpoint, gone, onRetry }: Unreached,
): Promise<Outcome | 'ended'> => {
  const outcome = await ask()
  if (!wasNotReached(outcome)) return outcome
  const isOver = await isEnding(endpoint, gone)
  if (!isOver && !isWorthAnother(outcome, gone)) return outcome
  onRetry()
  return isOver ? 'ended' : ask()
}

/** What was read of a body and lost with the connection is gone: the rest alone is another request. */
const wasNotReached = (outcome: Outcome): boolean =>
  outcome.kind === 'failed' && outcome.reason === 'unreachable' && !outcome.delivered && outcome.isUntouched

/** How long the end of an instance may take to be known here after its sockets are closed, in milliseconds. */
const newsMs = 1_000

/** Whether the instance turns out to have ended; false also when the client leaves first. */
const isEnding = async ({ gone }: Endpoint, clientGone: Gone): Promise<boolean> => {
  await abortsWithin([gone, clientGone], newsMs)
  return gone.aborted
}

/** One that accepts nothing because too much waits already is only asked to wait for more. */
const isWorthAnother = (outcome: Outcome, clientGone: Gone): boolean =>
  !clientGone.aborted &&
  outcome.kind === 'failed' &&
  outcome.error instanceof ConnectFailure &&
  !(outcome.error.cause instanceof ConnectTimeout)
