// Has the instance of a request awake, and the request a lease on it: or answers the request, with a page or with why there is none.
import type { Gone } from '../departure.ts'
import { Refusal } from '../refusal.ts'
import { isNavigation } from './answers.ts'
import { answer } from './conclude.ts'
import type { Exchange, Service } from './exchange.ts'
import type { Found } from './find.ts'
import type { Head } from './head.ts'
import { heldBytes } from './memoryBudget.ts'
import { leaseOrPage } from './page/leaseOrPage.ts'
import type { Caller, Lease, WakeContext } from './wake.ts'

/** Undefined once the request has been refused or shown a page, or the client has left. */
export const leaseFor = async (
  service: Service,
  exchange: Exchange,
  { name, head }: Found,
  gone: Gone,
): Promise<Lease | undefined> => {
  // What is ready waits for nobody, nor for those who fill the memory before others that are not.
  const isReady = service.knowledge.isReady(name)
  const letGo = service.guards.memory.take(isReady ? 0 : heldBytes(exchange.req.rawHeaders, head.hasBody))
  if (letGo === undefined) {
    answer(service, exchange, name, { reason: 'queue_full', delivered: false })
    return undefined
  }
  try {
    return await leaseOrPage(service, exchange, name, head, new Asking(service, exchange, head, gone))
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
  readonly #service: Service
  readonly #exchange: Exchange
  readonly #head: Head

  constructor(service: Service, exchange: Exchange, head: Head, gone: Gone) {
    this.gone = gone
    this.arrivedAtMs = exchange.arrivedAtMs
    this.#service = service
    this.#exchange = exchange
    this.#head = head
  }

  get caller(): Caller {
    return callerOf(this.#exchange, this.#head)
  }

  get countedAs(): string | undefined {
    return this.#service.clientOf(this.#exchange.req)
  }
}

/** Method and host have passed their grammars; of the rest of the request only its kind is told. */
const callerOf = ({ req, upgrade }: Exchange, { method, host }: Head): Caller => {
  const isPage = isNavigation({ method, headers: req.headers })
  return { method, host: host.toLowerCase(), client: upgrade ? 'upgrade' : isPage ? 'browser' : 'program' }
}
