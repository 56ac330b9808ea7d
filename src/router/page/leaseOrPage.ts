// Waits for an instance on behalf of a request, and shows a browser a page when that takes longer than a person likes to look at nothing.
// The wake is the supervisor's and goes on without the request; that somebody still wants it is said before the place is given up.
import { Departure } from '../../departure.ts'
import { isNavigation } from '../answers.ts'
import { answer } from '../conclude.ts'
import type { Exchange, Service } from '../exchange.ts'
import type { Head } from '../head.ts'
import type { Lease, WakeContext } from '../wake.ts'

/** Milliseconds until a page comes back that runs no script. */
const comeBackMs = 1_000

/** Undefined once a page was shown instead. Rejects as `wake` does. */
export const leaseOrPage = async (
  service: Service,
  exchange: Exchange,
  instance: string,
  head: Head,
  context: WakeContext,
): Promise<Lease | undefined> => {
  const { pageAfterMs, wake, onlookers } = service
  if (pageAfterMs === undefined || !mayTurn(exchange, head)) return wake(instance, context)
  const { gone, arrivedAtMs } = context
  const turned = new Departure('it is shown a page instead')
  if (gone.aborted) turned.abort()
  else gone.addEventListener('abort', () => turned.abort(), { once: true })
  const waiting = wake(instance, {
    gone: turned,
    arrivedAtMs,
    get caller() {
      return context.caller
    },
    get countedAs() {
      return context.countedAs
    },
  })
  const waitedMs = Math.max(service.now() - arrivedAtMs, 0)
  const isInTime = await comesWithin(waiting, pageAfterMs - waitedMs)
  if (isInTime || gone.aborted) return waiting
  onlookers.wish(instance)
  turned.abort()
  waiting.then(
    (late) => late.release(),
    // Whoever was turned away has its answer: the page.
    () => undefined,
  )
  const state = onlookers.look(instance)
  const reason = state.state === 'paused' ? 'paused' : 'waking'
  answer(service, exchange, instance, { reason, delivered: false, retryAfterMs: comeBackMs, wake: state })
  return undefined
}

/** Only what a browser would do again by itself without harm: never a request with a body, and none that goes on in another protocol. */
const mayTurn = ({ req, upgrade }: Exchange, { method, hasBody }: Head): boolean =>
  upgrade === undefined && !hasBody && isNavigation({ method, headers: req.headers })

/** Whether it settles in time, one way or the other. */
const comesWithin = async (waiting: Promise<unknown>, ms: number): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, Math.max(ms, 0), false)
  })
  const settled = waiting.then(
    () => true,
    () => true,
  )
  try {
    return await Promise.race([settled, late])
  } finally {
    clearTimeout(timer)
  }
}
