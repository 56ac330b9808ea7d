// Reads the head of a request and finds the instance it is for. What cannot be understood, asks for what tenement cannot meet, names
// nobody or goes in a circle is answered here.
import { answer } from './conclude.ts'
import type { Exchange, Service } from './exchange.ts'
import { type Head, readHead } from './head.ts'
import type { Reason } from './reasons.ts'
import type { Rules } from './rules.ts'

/** Whom a request is for. */
export interface Found {
  /** 'service:id' */
  readonly name: string
  readonly head: Head
  /** Tells the instance, and tenement when it comes back, how often the request has come through. */
  readonly hops: string
  readonly rules: Rules
}

/** Undefined once the request has been answered here. */
export const findInstance = (service: Service, exchange: Exchange): Found | undefined => {
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
