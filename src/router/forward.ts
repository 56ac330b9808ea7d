// Has a request answered by an awake instance: streams both ways, tries again where that cannot do anything twice, and
// says what came of it. A failure after the head of the answer is 'broken': it is passed on as a break, never repaired.
// It knows nothing of waking, and writes none of tenement's own answers.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { errors } from 'undici'
import { attempt, type Failed, type Outgoing, type Recipient, type Tried, type Upgraded } from './attempt.ts'
import type { MemoryBudget } from './memoryBudget.ts'
import type { Patience } from './patience.ts'
import { ConnectFailure, type Connection, type Pool } from './pools.ts'
import type { RawHeaders } from './rawHeaders.ts'
import type { Reason } from './reasons.ts'
import { ProtocolFault, replyTo } from './reply.ts'
import { isRepeatable, mayRepeat } from './retry.ts'
import { BodyTooLarge, BodyTooSlow, Upload } from './upload.ts'
import type { Gone } from './wake.ts'

export type Outcome =
  | { readonly kind: 'answered' }
  | Upgraded
  /** Nothing has gone to the client yet. */
  | { readonly kind: 'failed'; readonly reason: Reason; readonly delivered: boolean; readonly error: Error }
  /** The answer had begun. */
  | { readonly kind: 'broken'; readonly reason: Reason; readonly error: Error }
  /** The client has left. */
  | { readonly kind: 'left' }

export interface Forwarding {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly outgoing: Outgoing
  readonly pool: Pool
  /** Milliseconds without a byte of the request moving, until the head of the response must have come. */
  readonly responseTimeoutMs: number
  /** Bytes the body may have; undefined for any number. */
  readonly maxBodyBytes: number | undefined
  /** Whether POST and PATCH may be sent again like PUT. */
  readonly isKeyed: boolean
  readonly patience: Patience['body']
  readonly memory: MemoryBudget
  /** Called once when the client does not take its answer as fast as it comes. */
  onHeldUp(): void
  /** Aborts when the client leaves. */
  readonly gone: Gone
  /** Called when the final head has come; returns tenement's own headers that go beside it. */
  onHead(): RawHeaders
  /** Called before the request is sent once more. */
  onRetry(): void
}

class TimedOut extends Error {
  override readonly name = 'TimedOut'
}

class ClientLeft extends Error {
  override readonly name = 'ClientLeft'
}

/** Never rejects. An upgraded socket is the caller's to close; everything else is closed or given back. */
export const forward = async (forwarding: Forwarding): Promise<Outcome> => {
  const { pool, outgoing } = forwarding
  pool.retries.deposit()
  const connection = outgoing.upgrade === undefined ? pool.take() : pool.fresh()
  const upload = outgoing.hasBody ? uploadFor(connection, forwarding) : undefined
  const outcome = await tryTwice(connection, upload, forwarding)
  upload?.close()
  return outcome
}

const tryTwice = async (
  connection: Connection,
  upload: Upload | undefined,
  forwarding: Forwarding,
): Promise<Outcome> => {
  const { pool, outgoing, gone, isKeyed } = forwarding
  const first = await tryOn(connection, upload, forwarding)
  if (gone.aborted) return leave(first)
  const isWorthIt =
    first.kind === 'failed' &&
    isBreak(first.error) &&
    mayRepeat(first, { ...outgoing, isKeyed }, upload?.isWhole ?? true) &&
    pool.retries.withdraw()
  if (!isWorthIt) return judge(first, false)
  forwarding.onRetry()
  const second = await tryOn(pool.fresh(), upload, forwarding)
  return gone.aborted ? leave(second) : judge(second, first.handedOver)
}

/** Its beginning is kept only where it may be needed again: on a connection that has served before. */
const uploadFor = (connection: Connection, forwarding: Forwarding): Upload => {
  const { req, outgoing, isKeyed, maxBodyBytes, patience, memory } = forwarding
  const isReused = (connection.wire()?.served ?? 0) > 0
  const mayNeedItAgain = isReused && isRepeatable({ ...outgoing, isKeyed })
  return new Upload(req, { maxBytes: maxBodyBytes, patience, memory: mayNeedItAgain ? memory : undefined })
}

const leave = (tried: Tried): Outcome => {
  if (tried.kind === 'upgraded') tried.socket.destroy()
  return tried.kind === 'answered' ? tried : { kind: 'left' }
}

const tryOn = async (connection: Connection, upload: Upload | undefined, forwarding: Forwarding): Promise<Tried> => {
  const { res, outgoing, pool, responseTimeoutMs, gone } = forwarding
  const timer = setTimeout(() => connection.destroy(new TimedOut('no response head came in time')), responseTimeoutMs)
  // A response also closes when it is complete: then the connection is good for another request.
  const onGone = (): void => {
    if (!res.writableEnded) connection.destroy(new ClientLeft('the client has left'))
  }
  if (gone.aborted) onGone()
  gone.addEventListener('abort', onGone)
  const body = upload?.open({
    onProgress: () => timer.refresh(),
    onFault: (error) => connection.destroy(error),
  })
  const onBegin = (): void => {
    clearTimeout(timer)
    upload?.stopClock()
  }
  const tried = await attempt(connection, outgoing, body ?? null, recipient(forwarding, onBegin))
  clearTimeout(timer)
  gone.removeEventListener('abort', onGone)
  body?.destroy()
  if (tried.kind === 'answered') pool.giveBack(connection)
  else connection.destroy(new ClientLeft('the connection has served its last request'))
  return tried
}

const recipient = ({ req, res, onHeldUp, onHead }: Forwarding, onBegin: () => void): Recipient => {
  const reply = replyTo(req, res)
  let isHeldUp = false
  const note = (): void => {
    if (isHeldUp || res.writableLength === 0) return
    isHeldUp = true
    onHeldUp()
  }
  return {
    res,
    reply: {
      ...reply,
      begin: (status, phrase, raw) => {
        onBegin()
        reply.begin(status, phrase, raw, onHead())
      },
      write: (chunk) => {
        const mayGoOn = reply.write(chunk)
        if (!mayGoOn) note()
        return mayGoOn
      },
      end: (raw) => {
        reply.end(raw)
        note()
      },
    },
  }
}

const isBreak = (error: Error): boolean => reasonFor(error) === 'upstream_broke'

const judge = (tried: Tried, handedOverBefore: boolean): Outcome => {
  if (tried.kind !== 'failed') return tried
  if (tried.begun) return { kind: 'broken', reason: reasonFor(tried.error), error: tried.error }
  const delivered = tried.handedOver || handedOverBefore
  return { kind: 'failed', reason: reasonOf(tried, delivered), delivered, error: tried.error }
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
