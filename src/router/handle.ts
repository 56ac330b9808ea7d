// The story of one request: read the head, find the instance, wake it, forward, release. Every way out passes through
// here, so a lease is released exactly once. It knows the rest of tenement only as `wake`.
import { Departure, type Gone } from '../departure.ts'
import { messageOf } from '../errors.ts'
import { isAnsweredBeforeWake } from './beforeWake.ts'
import { answer, breakOff, fail } from './conclude.ts'
import { dropRest } from './dropRest.ts'
import type { Exchange, Service } from './exchange.ts'
import { type Found, findInstance } from './find.ts'
import { leaseFor } from './lease.ts'
import type { Outcome } from './outcome.ts'
import { serveOwnPath } from './page/serveOwnPath.ts'
import { isOwnPath } from './page/wakePath.ts'
import { headsOf, type OnHead, passOn } from './passOn.ts'
import { switchTo } from './switchTo.ts'
import { retryUnreached } from './unreached.ts'

/** Resolves when the client's response is closed and the lease, if there was one, is released; never rejects. */
export const handle = async (service: Service, exchange: Exchange): Promise<void> => {
  const { req, res } = exchange
  const gone = new Departure('the client has left')
  const closed = new Promise<void>((resolve) =>
    res.once('close', () => {
      gone.abort()
      resolve()
    }),
  )
  // A write to a client that has just left; 'close' tells what matters.
  res.on('error', () => {})
  req.on('error', () => {})
  if (service.isClosing()) res.shouldKeepAlive = false
  let found: Found | undefined
  try {
    found = findInstance(service, exchange)
    if (found && isOwnPath(found.head.path)) serveOwnPath(service, exchange, found.name, found.head)
    else if (found && !isAnsweredBeforeWake(service, exchange, found))
      await serve(service, exchange, found, { gone, closed })
  } catch (error) {
    fail(service, exchange, found?.name, error)
  }
  if (!req.socket.destroyed) await closed
}

interface Client {
  readonly gone: Gone
  /** Resolves when the response is closed. */
  readonly closed: Promise<void>
}

/**
 * The lease lasts from here to the last byte of the response, or to the close of the upgraded socket. A request that finds its
 * instance ended, and of which not a byte is gone, is given to the next start, once.
 */
const serve = async (service: Service, exchange: Exchange, found: Found, client: Client): Promise<void> => {
  const { gone, closed } = client
  const { name: instance } = found
  const begunMs = performance.now()
  const waited = { queueMs: 0, wakeMs: 0 }
  for (let isFirst = true; ; isFirst = false) {
    const lease = await leaseFor(service, exchange, found, gone)
    try {
      if (!lease) return
      if (gone.aborted) return service.report({ kind: 'left', instance })
      waited.queueMs += lease.waited.queueMs
      waited.wakeMs += lease.waited.wakeMs
      if (exchange.expects === 'continue' && isFirst) exchange.res.writeContinue()
      const { endpoint } = lease
      const onHead = headsOf(service, lease, waited)
      const ask = (): Promise<Outcome> => passOn(endpoint, service, exchange, found, { gone, onHead })
      const onRetry = (): void => service.report({ kind: 'retried', instance })
      const outcome = isFirst ? await retryUnreached(ask, { endpoint, gone, onRetry }) : await ask()
      if (outcome === 'ended') continue
      await conclude(service, exchange, instance, outcome, onHead)
      if (!exchange.req.socket.destroyed) await closed
      if (outcome.kind === 'left') service.report({ kind: 'left', instance })
      if (outcome.kind === 'answered') reportAnswer(service, exchange, instance, performance.now() - begunMs)
      return
    } finally {
      lease?.release()
    }
  }
}

const reportAnswer = (service: Service, { res }: Exchange, instance: string, durationMs: number): void =>
  service.report({ kind: 'answered', instance, status: res.statusCode, durationMs })

const conclude = async (
  service: Service,
  exchange: Exchange,
  name: string,
  outcome: Outcome,
  onHead: OnHead,
): Promise<void> => {
  if (outcome.kind === 'answered') dropRest(exchange.req)
  if (outcome.kind === 'failed') answer(service, exchange, name, outcome, { detail: messageOf(outcome.error) })
  if (outcome.kind === 'broken') breakOff(service, exchange, name, outcome)
  if (outcome.kind === 'upgraded') await switchTo(service, exchange, name, outcome, onHead)
}
