// The story of one request: read the head, find the instance, wake it, forward, release. Every way out passes through
// here, so a lease is released exactly once. It knows the rest of tenement only as `wake`.
import { randomUUID } from 'node:crypto'
import { abortsWithin } from '../abortsWithin.ts'
import { messageOf } from '../errors.ts'
import { Refusal } from '../refusal.ts'
import { isNavigation } from './answers.ts'
import type { Upgraded } from './attempt.ts'
import { isAnsweredBeforeWake } from './beforeWake.ts'
import { answer, breakOff, cutOff, fail } from './conclude.ts'
import { Departure } from './departure.ts'
import type { Exchange, Service } from './exchange.ts'
import { forward, type Outcome } from './forward.ts'
import { type Head, readHead } from './head.ts'
import { requestHeaders } from './headers.ts'
import { hopsHeader } from './hops.ts'
import { largestPiece } from './memoryBudget.ts'
import { leaseOrPage } from './page/leaseOrPage.ts'
import { serveOwnPath } from './page/serveOwnPath.ts'
import { isOwnPath } from './page/wakePath.ts'
import { ConnectFailure, ConnectTimeout } from './pools.ts'
import { type RawHeaders, valuesOf } from './rawHeaders.ts'
import type { Reason } from './reasons.ts'
import type { Rules } from './rules.ts'
import { serverTiming } from './serverTiming.ts'
import { watchReader } from './slowReader.ts'
import { switchingHead, tunnel } from './tunnel.ts'
import { dropRest } from './upload.ts'
import type { Caller, Endpoint, Gone, Lease, WakeContext } from './wake.ts'

/** Resolves when the client's response is closed and the lease, if there was one, is released; never rejects. */
export const handle = async (service: Service, exchange: Exchange): Promise<void> => {
  const { req, res } = exchange
  const gone = new Departure()
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

interface Found {
  /** 'service:id' */
  readonly name: string
  readonly head: Head
  /** Tells the instance, and tenement when it comes back, how often the request has come through. */
  readonly hops: string
  readonly rules: Rules
}

/** Undefined once the request has been answered here. */
const findInstance = (service: Service, exchange: Exchange): Found | undefined => {
  const head = readHead(exchange.req)
  if (typeof head === 'string') return refuse(service, exchange, head)
  if (exchange.expects === 'unknown') return refuse(service, exchange, 'bad_expectation')
  const name = service.match(head.host)
  if (name === 'bad') return refuse(service, exchange, 'bad_host')
  const hops = service.guards.hops.next(exchange.req.rawHeaders)
  if (name !== undefined && hops !== undefined) return { name, head, hops, rules: service.knowledge.rulesOf(name) }
  answer(service, exchange, name, { reason: name === undefined ? 'unknown_host' : 'loop', delivered: false })
  return undefined
}

/** Whatever follows on the connection may be the rest of a trick, so it ends with the answer. */
const refuse = (service: Service, exchange: Exchange, reason: Reason): undefined => {
  exchange.res.shouldKeepAlive = false
  answer(service, exchange, undefined, { reason, delivered: false })
}

/**
 * The lease lasts from here to the last byte of the response, or to the close of the upgraded socket. An instance that accepts
 * no connection has often just ended, unknown to the supervisor: then the request, of which not a byte is gone, is given to
 * the next start, once. One that runs all the same may be opening its socket anew, and is asked once more.
 */
const serve = async (
  service: Service,
  exchange: Exchange,
  found: Found,
  { gone, closed }: { readonly gone: Gone; readonly closed: Promise<void> },
): Promise<void> => {
  const begunMs = performance.now()
  const waited = { queueMs: 0, wakeMs: 0 }
  for (let isFirst = true; ; isFirst = false) {
    const lease = await leaseFor(service, exchange, found, gone)
    try {
      if (!lease) return
      if (gone.aborted) return service.report({ kind: 'left', instance: found.name })
      waited.queueMs += lease.waited.queueMs
      waited.wakeMs += lease.waited.wakeMs
      if (exchange.expects === 'continue' && isFirst) exchange.res.writeContinue()
      const events = { gone, onHead: headsOf(service, lease, waited) }
      let outcome = await forwardTo(lease.endpoint, service, exchange, found, events)
      if (isFirst && wasNotReached(outcome)) {
        const isOver = await isEnding(lease.endpoint, gone)
        if (isOver || isWorthAnother(outcome, gone)) service.report({ kind: 'retried', instance: found.name })
        if (isOver) continue
        if (isWorthAnother(outcome, gone)) outcome = await forwardTo(lease.endpoint, service, exchange, found, events)
      }
      await conclude(service, exchange, found.name, outcome, events.onHead)
      if (!exchange.req.socket.destroyed) await closed
      if (outcome.kind === 'left') service.report({ kind: 'left', instance: found.name })
      if (outcome.kind === 'answered') reportAnswer(service, exchange, found.name, performance.now() - begunMs)
      return
    } finally {
      lease?.release()
    }
  }
}

const reportAnswer = (service: Service, { res }: Exchange, instance: string, durationMs: number | undefined): void =>
  service.report({ kind: 'answered', instance, status: res.statusCode, durationMs })

/** Told that the head of the answer has come, it tells the lease, and gives the headers that go with it. */
type OnHead = () => RawHeaders

const noHeaders: RawHeaders = []

const headsOf = ({ exposesTiming }: Service, lease: Lease, waited: Lease['waited']): OnHead => {
  const sinceMs = performance.now()
  return () => {
    lease.answered()
    return exposesTiming ? serverTiming({ ...waited, appMs: performance.now() - sinceMs }) : noHeaders
  }
}

const wasNotReached = (outcome: Outcome): boolean =>
  outcome.kind === 'failed' && outcome.reason === 'unreachable' && !outcome.delivered

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

/** Undefined once the request has been refused or shown a page, or the client has left. */
const leaseFor = async (
  service: Service,
  exchange: Exchange,
  { name, head }: Found,
  gone: Gone,
): Promise<Lease | undefined> => {
  const letGo = service.guards.memory.take(head.hasBody ? largestPiece(exchange.req.rawHeaders) : 0)
  if (letGo === undefined) {
    answer(service, exchange, name, { reason: 'queue_full', delivered: false })
    return undefined
  }
  try {
    return await leaseOrPage(service, exchange, name, head, new Asking(exchange, head, gone))
  } catch (error) {
    if (gone.aborted) {
      service.report({ kind: 'left', instance: name })
      return undefined
    }
    if (!(error instanceof Refusal)) throw error
    const { reason, retryAfterMs } = error
    const wake = reason === 'waking' || reason === 'paused' ? service.onlookers.look(name) : undefined
    answer(service, exchange, name, { reason, delivered: false, retryAfterMs, wake })
    return undefined
  } finally {
    letGo()
  }
}

/** Who asks is found out by a wake alone: what is ready is told nothing of it. */
class Asking implements WakeContext {
  readonly gone: Gone
  readonly arrivedAtMs: number
  readonly #exchange: Exchange
  readonly #head: Head

  constructor(exchange: Exchange, head: Head, gone: Gone) {
    this.gone = gone
    this.arrivedAtMs = exchange.arrivedAtMs
    this.#exchange = exchange
    this.#head = head
  }

  get caller(): Caller {
    return callerOf(this.#exchange, this.#head)
  }
}

/** Method and host have passed their grammars; of the rest of the request only its kind is told. */
const callerOf = ({ req, upgrade }: Exchange, { method, host }: Head): Caller => {
  const isPage = isNavigation({ method, headers: req.headers })
  return { method, host: host.toLowerCase(), client: upgrade ? 'upgrade' : isPage ? 'browser' : 'program' }
}

const forwardTo = (
  endpoint: Endpoint,
  service: Service,
  exchange: Exchange,
  { name, head, hops, rules }: Found,
  events: { readonly gone: Gone; readonly onHead: OnHead },
): Promise<Outcome> => {
  const { req, res, upgrade } = exchange
  const { address, isTrusted, port } = service.peerOf(req.socket)
  const headers = requestHeaders(req.rawHeaders, {
    peer: address,
    isTrusted,
    port,
    host: head.host,
    requestId: randomUUID(),
  })
  const { method, path, hasBody } = head
  return forward({
    req,
    res,
    outgoing: { method, path, headers: [...headers, hopsHeader, hops], hasBody, upgrade: upgrade?.protocols },
    pool: service.poolOf(endpoint),
    responseTimeoutMs: endpoint.responseTimeoutMs,
    maxBodyBytes: rules.maxBodyBytes,
    isKeyed: rules.retryPost && valuesOf(req.rawHeaders, 'idempotency-key').length === 1,
    patience: service.patience.body,
    memory: service.guards.memory,
    onHeldUp: () => watchReader(exchange, service.patience.readMs, () => cutOff(service, exchange, name)),
    ...events,
    onRetry: () => service.report({ kind: 'retried', instance: name }),
  })
}

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

/** Speaks the other protocol until both sides have closed. */
const switchTo = async (
  service: Service,
  exchange: Exchange,
  name: string,
  { socket, raw }: Upgraded,
  onHead: OnHead,
): Promise<void> => {
  const { req, res, upgrade } = exchange
  const head = upgrade && switchingHead(raw, upgrade.protocols, onHead())
  if (!upgrade || !head) {
    socket.destroy()
    return answer(service, exchange, name, { reason: 'upstream_protocol', delivered: true })
  }
  res.detachSocket(req.socket)
  req.socket.write(head)
  socket.write(upgrade.waiting.takeEarly())
  service.report({ kind: 'answered', instance: name, status: 101, durationMs: undefined })
  await tunnel(req.socket, socket)
}
