// What a try to have a request answered came to, as a client is told it: which of tenement's reasons stands for which error, and
// whether a byte was handed over. Pure.
import { errors } from 'undici'
import type { Failed, Tried, Upgraded } from './attempt.ts'
import { ConnectFailure } from './pools.ts'
import type { Reason } from './reasons.ts'
import { ProtocolFault } from './reply.ts'
import { BodyTooLarge, BodyTooSlow } from './upload.ts'

export type Outcome =
  | { readonly kind: 'answered' }
  | Upgraded
  | Unanswered
  /** The answer had begun. */
  | { readonly kind: 'broken'; readonly reason: Reason; readonly error: Error }
  /** The client has left. */
  | { readonly kind: 'left' }

/** Nothing has gone to the client yet. */
interface Unanswered {
  readonly kind: 'failed'
  readonly reason: Reason
  readonly delivered: boolean
  /** Whether all of the request is still there to be forwarded from its beginning. */
  readonly isUntouched: boolean
  readonly error: Error
}

/** What is known of the request beside the last try of it. */
interface Before {
  /** By an earlier try. */
  readonly handedOverBefore: boolean
  readonly isUntouched: boolean
}

/** No head of a response came in time. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut'
}

/** Whether the connection broke, rather than that somebody ended it or spoke nonsense. */
export const isBreak = (error: Error): boolean => reasonFor(error) === 'upstream_broke'

export const judge = (tried: Tried, { handedOverBefore, isUntouched }: Before): Outcome => {
  if (tried.kind !== 'failed') return tried
  if (tried.begun) return { kind: 'broken', reason: reasonFor(tried.error), error: tried.error }
  const delivered = tried.handedOver || handedOverBefore
  return { kind: 'failed', reason: reasonOf(tried, delivered), delivered, isUntouched, error: tried.error }
}

/** 502 and 504 mean that a byte was handed over, 503 that none was, whatever went wrong afterwards. */
const reasonOf = ({ error, connected }: Failed, delivered: boolean): Reason => {
  const reason = reasonFor(error)
  if (delivered) return reason === 'unreachable' ? 'upstream_broke' : reason
  // A head leaves with the first byte of its body, so it was the client who kept everybody waiting.
  if (reason === 'upstream_timeout' && connected) return 'request_timeout'
  return isClientsFault(reason) ? reason : 'unreachable'
}

const isClientsFault = (reason: Reason): boolean =>
  reason === 'bad_request' || reason === 'body_too_large' || reason === 'request_timeout'

const reasonFor = (error: Error): Reason => {
  if (error instanceof ConnectFailure) return 'unreachable'
  if (error instanceof TimedOut) return 'upstream_timeout'
  if (error instanceof BodyTooLarge) return 'body_too_large'
  if (error instanceof BodyTooSlow) return 'request_timeout'
  if (error instanceof ProtocolFault || isNonsense(error)) return 'upstream_protocol'
  return isUnsendable(error) ? 'bad_request' : 'upstream_broke'
}

const isNonsense = (error: Error): boolean =>
  error instanceof errors.HTTPParserError ||
  error instanceof errors.HeadersOverflowError ||
  error instanceof errors.ResponseContentLengthMismatchError ||
  (error instanceof errors.SocketError && /^bad /.test(error.message))

/** undici checks every head itself and refuses before it sends. */
const isUnsendable = (error: Error): boolean =>
  error instanceof errors.InvalidArgumentError || error instanceof errors.NotSupportedError
