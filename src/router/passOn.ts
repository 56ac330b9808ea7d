// Passes a request on to an awake instance: what goes to the instance with it, what goes to the client beside the answer, and which
// bounds hold. How the bytes move is known to forward.ts alone.
import { randomUUID } from 'node:crypto'
import type { Gone } from '../departure.ts'
import { cutOff } from './conclude.ts'
import type { Exchange, Service } from './exchange.ts'
import type { Found } from './find.ts'
import { forward } from './forward.ts'
import { requestHeaders } from './headers.ts'
import { hopsHeader } from './hops.ts'
import type { Outcome } from './outcome.ts'
import { type RawHeaders, valuesOf } from './rawHeaders.ts'
import { serverTiming } from './serverTiming.ts'
import { watchReader } from './slowReader.ts'
import type { Endpoint, Lease } from './wake.ts'

/** Told that the head of the answer has come, it tells the lease, and gives the headers that go with it. */
export type OnHead = () => RawHeaders

const noHeaders: RawHeaders = []

export const headsOf = ({ exposesTiming }: Service, lease: Lease, waited: Lease['waited']): OnHead => {
  const sinceMs = performance.now()
  return () => {
    // Before the lease is told: what it does with that is not the application's time.
    const appMs = performance.now() - sinceMs
    lease.answered()
    return exposesTiming ? serverTiming({ ...waited, appMs }) : noHeaders
  }
}

export const passOn = (
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
    onHeldUp: () => watchReader(exchange, service.patience.read, () => cutOff(service, exchange, name)),
    ...events,
    onRetry: () => service.report({ kind: 'retried', instance: name }),
  })
}
