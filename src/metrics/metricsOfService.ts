// The metrics of one service with its name filled in: looked up once, so that a request costs two additions and no search.
// Series are there from the start, at nought: a rate over a counter that appears with its first event misses that event.
import { wakers } from '../control/operations.ts'
import type { Catalog } from './catalog.ts'
import { wakeOutcomes } from './wakeOutcome.ts'

interface Counting {
  inc(): void
}

interface Observing {
  observe(seconds: number): void
}

/** Of status codes; what is in none of them is 'other'. */
const classes = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const

export interface ServiceMetrics {
  /** The counter of answers with a status. */
  answered(status: number): Counting
  readonly requestSeconds: Observing
  readonly broken: Counting
  readonly left: Counting
  readonly retries: Counting
  readonly evictions: Counting
  readonly crashes: Counting
  readonly steps: Readonly<Record<'queue' | 'spawn' | 'ready' | 'first_byte', Observing>>
}

export const metricsOfService = (catalog: Catalog, service: string): ServiceMetrics => {
  const byClass = classes.map((each) => started(catalog.requests.labels(service, each)))
  const step = (name: string): Observing => {
    catalog.wakeSteps.zero({ service, step: name })
    return catalog.wakeSteps.labels(service, name)
  }
  catalog.requestSeconds.zero({ service })
  for (const cause of wakers) for (const outcome of wakeOutcomes) catalog.wakes.inc({ service, cause, outcome }, 0)
  const other = started(catalog.requests.labels(service, 'other'))
  return {
    answered: (status) => byClass[Math.floor(status / 100) - 1] ?? other,
    requestSeconds: catalog.requestSeconds.labels(service),
    broken: started(catalog.unfinished.labels(service, 'broken')),
    left: started(catalog.unfinished.labels(service, 'left')),
    retries: started(catalog.retries.labels(service)),
    evictions: started(catalog.evictions.labels(service)),
    crashes: started(catalog.crashes.labels(service)),
    steps: {
      queue: step('queue'),
      spawn: step('spawn'),
      ready: step('ready'),
      first_byte: step('first_byte'),
    },
  }
}

const started = (counter: { inc(by?: number): void }): Counting => {
  counter.inc(0)
  return counter
}
