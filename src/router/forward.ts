// Has a request answered by an awake instance: streams both ways, tries again where that cannot do anything twice, and
// says what came of it. A failure after the head of the answer is 'broken': it is passed on as a break, never repaired.
// It knows nothing of waking, and writes none of tenement's own answers.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { errors } from 'undici'
import { attempt, type Failed, type Outgoing, type Recipient, type Tried, type Upgraded } from './attempt.ts'
import { ConnectFailure, type Connection, type Pool } from './pools.ts'
import type { Reason } from './reasons.ts'
import { ProtocolFault, replyTo } from './reply.ts'
import { uploadOf } from './upload.ts'
import type { Gone } from './wake.ts'

export type Outcome =
  | { readonly kind: 'answered' }
  | Upgraded
  /** Nothing has gone to the client yet. */
  | { readonly kind: 'failed'; readonly reason: Reason; readonly delivered: boolean; readonly error: Error }
  /** The answer had begun. */
  | { readonly kind: 'broken'; readonly error: Error }
  /** The client has left. */
  | { readonly kind: 'left' }

export interface Forwarding {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly outgoing: Outgoing
  readonly pool: Pool
  /** Milliseconds without a byte of the request moving, until the head of the response must have come. */
  readonly responseTimeoutMs: number
  /** Aborts when the client leaves. */
  readonly gone: Gone
}

class TimedOut extends Error {
  override readonly name = 'TimedOut'
}

class ClientLeft extends Error {
  override readonly name = 'ClientLeft'
}

/** Never rejects. An upgraded socket is the caller's to close; everything else is closed or given back. */
export const forward = async (forwarding: Forwarding): Promise<Outcome> => {
  const { pool, outgoing, gone } = forwarding
  const first = await tryOn(outgoing.upgrade === undefined ? pool.take() : pool.fresh(), forwarding)
  if (gone.aborted) return leave(first)
  if (first.kind !== 'failed' || !mayRetry(first, outgoing)) return judge(first, false)
  const second = await tryOn(pool.fresh(), forwarding)
  return gone.aborted ? leave(second) : judge(second, first.handedOver)
}

const leave = (tried: Tried): Outcome => {
  if (tried.kind === 'upgraded') tried.socket.destroy()
  return tried.kind === 'answered' ? tried : { kind: 'left' }
}

const tryOn = async (
  connection: Connection,
  { req, res, outgoing, pool, responseTimeoutMs, gone }: Forwarding,
): Promise<Tried> => {
  const timer = setTimeout(() => connection.destroy(new TimedOut('no response head came in time')), responseTimeoutMs)
  // A response also closes when it is complete: then the connection is good for another request.
  const onGone = (): void => {
    if (!res.writableEnded) connection.destroy(new ClientLeft('the client has left'))
  }
  if (gone.aborted) onGone()
  gone.addEventListener('abort', onGone)
  const upload = outgoing.hasBody ? uploadOf(req, () => timer.refresh()) : null
  const stopTimer = (): void => clearTimeout(timer)
  const tried = await attempt(connection, outgoing, upload, recipient(req, res, stopTimer))
  stopTimer()
  gone.removeEventListener('abort', onGone)
  upload?.destroy()
  if (tried.kind === 'answered') pool.giveBack(connection)
  else connection.destroy(new ClientLeft('the connection has served its last request'))
  return tried
}

const recipient = (req: IncomingMessage, res: ServerResponse, onBegin: () => void): Recipient => {
  const reply = replyTo(req, res)
  return {
    res,
    reply: {
      ...reply,
      begin: (status, phrase, raw) => {
        onBegin()
        reply.begin(status, phrase, raw)
      },
    },
  }
}

/** Methods a second delivery of which changes nothing, and those which change nothing at all (RFC 9110 section 9.2). */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const safe = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * An instance closes an idle connection just as a request is sent on it: then nothing was done, almost certainly. On a
 * fresh connection the request may be what brought the instance down, so only safe methods get another chance.
 */
const mayRetry = (failed: Failed, { method, hasBody, upgrade }: Outgoing): boolean => {
  if (failed.heard || failed.begun || hasBody || upgrade !== undefined || !isBreak(failed.error)) return false
  return failed.wasReused ? idempotent.has(method) : safe.has(method) && failed.handedOver
}

const isBreak = (error: Error): boolean => reasonFor(error) === 'upstream_broke'

const judge = (tried: Tried, handedOverBefore: boolean): Outcome => {
  if (tried.kind !== 'failed') return tried
  if (tried.begun) return { kind: 'broken', error: tried.error }
  const delivered = tried.handedOver || handedOverBefore
  return { kind: 'failed', reason: reasonOf(tried, delivered), delivered, error: tried.error }
}

/** 502 and 504 mean that a byte was handed over, 503 that none was, whatever went wrong afterwards. */
const reasonOf = ({ error, connected }: Failed, delivered: boolean): Reason => {
  const reason = reasonFor(error)
  if (delivered) return reason === 'unreachable' ? 'upstream_broke' : reason
  // A head leaves with the first byte of its body, so it was the client who kept everybody waiting.
  if (reason === 'upstream_timeout' && connected) return 'request_timeout'
  return reason === 'bad_request' ? reason : 'unreachable'
}

const reasonFor = (error: Error): Reason => {
  if (error instanceof ConnectFailure) return 'unreachable'
  if (error instanceof TimedOut) return 'upstream_timeout'
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
