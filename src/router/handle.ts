// The story of one request: read the head, find the instance, wake it, forward, release. Every way out passes through
// here, so a lease is released exactly once. It knows the rest of tenement only as `wake`.
import { randomUUID } from 'node:crypto'
import { messageOf } from '../errors.ts'
import { Refusal } from '../refusal.ts'
import type { Upgraded } from './attempt.ts'
import { answer, breakOff, fail } from './conclude.ts'
import type { Exchange, Service } from './exchange.ts'
import { forward, type Outcome } from './forward.ts'
import { readAddress } from './forwarded.ts'
import { type Head, readHead } from './head.ts'
import { requestHeaders } from './headers.ts'
import { switchingHead, tunnel } from './tunnel.ts'
import { dropRest } from './upload.ts'
import type { Endpoint, Lease } from './wake.ts'

/** Resolves when the client's response is closed and the lease, if there was one, is released; never rejects. */
export const handle = async (service: Service, exchange: Exchange): Promise<void> => {
  const { req, res } = exchange
  const closed = new Promise<void>((resolve) => res.once('close', resolve))
  // A write to a client that has just left; 'close' tells what matters.
  res.on('error', () => {})
  req.on('error', () => {})
  if (service.isClosing()) res.shouldKeepAlive = false
  const instance = findInstance(service, exchange)
  try {
    if (instance) await serve(service, exchange, instance, closed)
  } catch (error) {
    fail(service, exchange, instance?.name, error)
  }
  if (!req.socket.destroyed) await closed
}

interface Found {
  /** 'service:id' */
  readonly name: string
  readonly head: Head
}

/** Undefined once the request has been answered here. */
const findInstance = (service: Service, exchange: Exchange): Found | undefined => {
  const head = readHead(exchange.req)
  const name = typeof head === 'string' ? head : service.match(head.host)
  if (typeof head === 'string' || name === 'bad') {
    // Whatever follows on this connection may be the rest of the trick.
    service.endConnection(exchange.req.socket)
    exchange.res.shouldKeepAlive = false
    answer(service, exchange, undefined, { reason: typeof head === 'string' ? head : 'bad_host', delivered: false })
    return undefined
  }
  if (name !== undefined) return { name, head }
  answer(service, exchange, undefined, { reason: 'unknown_host', delivered: false })
  return undefined
}

/** The lease lasts from here to the last byte of the response, or to the close of the upgraded socket. */
const serve = async (service: Service, exchange: Exchange, found: Found, closed: Promise<void>): Promise<void> => {
  const gone = new AbortController()
  exchange.res.once('close', () => gone.abort())
  const lease = await leaseFor(service, exchange, found.name, gone.signal)
  try {
    if (!lease || gone.signal.aborted) return
    if (exchange.expectsContinue) exchange.res.writeContinue()
    const outcome = await forwardTo(lease.endpoint, service, exchange, found.head, gone.signal)
    await conclude(service, exchange, found.name, outcome)
    if (!exchange.req.socket.destroyed) await closed
  } finally {
    lease?.release()
  }
}

/** Undefined once the request has been refused, or the client has left. */
const leaseFor = async (
  service: Service,
  exchange: Exchange,
  name: string,
  gone: AbortSignal,
): Promise<Lease | undefined> => {
  try {
    return await service.wake(name, { gone, arrivedAtMs: exchange.arrivedAtMs })
  } catch (error) {
    if (gone.aborted) return undefined
    if (!(error instanceof Refusal)) throw error
    answer(service, exchange, name, { reason: error.reason, delivered: false, retryAfterMs: error.retryAfterMs })
    return undefined
  }
}

const forwardTo = (
  endpoint: Endpoint,
  service: Service,
  { req, res, upgrade }: Exchange,
  head: Head,
  gone: AbortSignal,
): Promise<Outcome> => {
  const peer = readAddress(req.socket.remoteAddress)
  const headers = requestHeaders(req.rawHeaders, {
    peer,
    isTrusted: service.isTrusted(peer),
    port: req.socket.localPort ?? 0,
    host: head.host,
    requestId: randomUUID(),
  })
  const { method, path, hasBody } = head
  const outgoing = { method, path, headers, hasBody, upgrade: upgrade?.protocols }
  const { responseTimeoutMs } = endpoint
  return forward({ req, res, outgoing, pool: service.poolOf(endpoint), responseTimeoutMs, gone })
}

const conclude = async (service: Service, exchange: Exchange, name: string, outcome: Outcome): Promise<void> => {
  if (outcome.kind === 'answered') dropRest(exchange.req)
  if (outcome.kind === 'failed') answer(service, exchange, name, outcome, { detail: messageOf(outcome.error) })
  if (outcome.kind === 'broken') breakOff(service, exchange, name, outcome.error)
  if (outcome.kind === 'upgraded') await switchTo(service, exchange, name, outcome)
}

/** Speaks the other protocol until both sides have closed. */
const switchTo = async (
  service: Service,
  exchange: Exchange,
  name: string,
  { socket, raw }: Upgraded,
): Promise<void> => {
  const { req, res, upgrade } = exchange
  const head = upgrade && switchingHead(raw, upgrade.protocols)
  if (!upgrade || !head) {
    socket.destroy()
    return answer(service, exchange, name, { reason: 'upstream_protocol', delivered: true })
  }
  res.detachSocket(req.socket)
  req.socket.write(head)
  socket.write(upgrade.waiting.takeEarly())
  await tunnel(req.socket, socket)
}
