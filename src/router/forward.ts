// Has a request answered by an awake instance: streams both ways, tries again where that cannot do anything twice, and
// says what came of it. A failure after the head of the answer is 'broken': it is passed on as a break, never repaired.
// It knows nothing of waking, and writes none of tenement's own answers.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Gone } from '../departure.ts'
import { attempt, type Outgoing, type Recipient, type Tried } from './attempt.ts'
import type { MemoryBudget } from './memoryBudget.ts'
import { isBreak, judge, type Outcome, TimedOut } from './outcome.ts'
import type { Patience } from './patience.ts'
import type { Connection, Pool } from './pools.ts'
import type { RawHeaders } from './rawHeaders.ts'
import { replyTo } from './reply.ts'
import { isRepeatable, mayRepeat } from './retry.ts'
import { Upload } from './upload.ts'

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
  /**
   * Called once when the client does not take its answer as fast as it comes. What it returns is called before and after every write
   * from then on.
   */
  onHeldUp(): () => void
  /** Aborts when the client leaves. */
  readonly gone: Gone
  /** Called when the final head has come; returns tenement's own headers that go beside it. */
  onHead(): RawHeaders
  /** Called before the request is sent once more. */
  onRetry(): void
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
  const isUntouched = (): boolean => upload?.isUntouched ?? true
  if (!isWorthIt) return judge(first, { handedOverBefore: false, isUntouched: isUntouched() })
  forwarding.onRetry()
  const second = await tryOn(pool.fresh(), upload, forwarding)
  return gone.aborted
    ? leave(second)
    : judge(second, { handedOverBefore: first.handedOver, isUntouched: isUntouched() })
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
    upload?.answered()
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
  let note: (() => void) | undefined
  const noteAfter = (): void => {
    if (note) note()
    else if (res.writableLength > 0) note = onHeldUp()
  }
  const reply = replyTo(req, res, noteAfter)
  return {
    res,
    reply: {
      ...reply,
      begin: (status, phrase, raw) => {
        onBegin()
        reply.begin(status, phrase, raw, onHead())
      },
      write: (chunk) => {
        note?.()
        const mayGoOn = reply.write(chunk)
        if (note || !mayGoOn) noteAfter()
        return mayGoOn
      },
      end: (raw) => {
        note?.()
        reply.end(raw)
        noteAfter()
      },
    },
  }
}
