// What a request is told before anything is woken for it: that its body is too large, that the instance sleeps and need not be
// woken for this, or that its client has woken enough for now. The order is from what costs nobody anything.
import { answerAsleep, isHealthCheck } from './asleepHealth.ts'
import { answer } from './conclude.ts'
import type { Exchange, Service } from './exchange.ts'
import type { Found } from './find.ts'
import { valuesOf } from './rawHeaders.ts'
import type { Rules } from './rules.ts'

/** True once the request has been answered here. */
export const isAnsweredBeforeWake = (service: Service, exchange: Exchange, found: Found): boolean => {
  const { name: instance, head, rules } = found
  if (isTooLarge(exchange, rules)) {
    answer(service, exchange, instance, { reason: 'body_too_large', delivered: false })
    return true
  }
  if (!service.knowledge.isAsleep(instance)) return false
  if (isHealthCheck(exchange, head, rules.asleepHealth)) {
    answerAsleep(service, exchange, instance)
    return true
  }
  return isOverLimit(service, exchange, instance)
}

const isTooLarge = ({ req }: Exchange, { maxBodyBytes }: Rules): boolean =>
  maxBodyBytes !== undefined && Number(valuesOf(req.rawHeaders, 'content-length')[0] ?? 0) > maxBodyBytes

const isOverLimit = (service: Service, exchange: Exchange, instance: string): boolean => {
  const { wakes } = service.guards
  const client = service.clientOf(exchange.req)
  const over = client === undefined ? undefined : wakes.check(client, instance)
  if (over === undefined) return false
  if (over.isNew)
    service.log.warn({ client, instance, reason: 'rate_limited' }, 'a client has woken as many instances as it may')
  const seconds = Math.ceil(over.forMs / 1_000)
  // Never said shorter than it is: the answer spreads it by a fifth either way.
  const retryAfterMs = (seconds * 1_000) / 0.8
  const headers = rateLimit(wakes.perMinute, seconds)
  answer(service, exchange, instance, { reason: 'rate_limited', delivered: false, retryAfterMs, headers })
  return true
}

/** As draft-ietf-httpapi-ratelimit-headers writes them: of so many in so many seconds none is left for so many more. */
const rateLimit = (perMinute: number, seconds: number): string[] => [
  ...['RateLimit-Policy', `"wakes";q=${perMinute};w=60`],
  ...['RateLimit', `"wakes";r=0;t=${seconds}`],
]
