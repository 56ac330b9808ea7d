// Counts what router, supervisor and launcher tell, and writes it in Prometheus' text format. It is told values and keeps
// numbers; nothing is decided by them, and what it is told of a service that is not configured counts for none.
import { Registry } from 'prom-client'
import { phases } from '../control/operations.ts'
import type { Report as ReportRequest, Told as ToldOfRequest } from '../router/report.ts'
import type { Census } from '../supervisor/census.ts'
import type { PhaseChange, Report, Told } from '../supervisor/report.ts'
import { type Catalog, catalogIn } from './catalog.ts'
import { metricsOfService, type ServiceMetrics } from './metricsOfService.ts'
import { addProcessMetrics } from './process.ts'
import { wakeOutcome } from './wakeOutcome.ts'

export interface MetricsOptions {
  readonly version: string
  readonly services: Iterable<string>
  /** Every word of `x-tenement-reason`. */
  readonly reasons: readonly string[]
  /** Asked when somebody reads the metrics. */
  readonly census: () => ReadonlyMap<string, Census>
}

export interface Metrics {
  readonly onRequest: ReportRequest
  readonly onInstance: Report
  /** The launcher has answered a request of this kind. */
  onLauncher(request: string, tookMs: number): void
  /** Everything there is, in text format 0.0.4. */
  text(): Promise<string>
}

/** The media type of what `text` gives. */
export const metricsType = Registry.PROMETHEUS_CONTENT_TYPE

export const createMetrics = ({ version, services, reasons, census }: MetricsOptions): Metrics => {
  const registry = new Registry()
  const catalog = catalogIn(registry)
  addProcessMetrics(registry)
  catalog.build.set({ version }, 1)
  const byService = new Map([...services].map((service) => [service, metricsOfService(catalog, service)]))
  for (const service of ['', ...byService.keys()])
    for (const reason of reasons) catalog.refusals.inc({ service, reason }, 0)
  const launcher = launcherObservers(catalog)
  return {
    onRequest: (told) => countRequest(catalog, byService, told),
    onInstance: (told) => countInstance(catalog, byService, told),
    onLauncher: (request, tookMs) => launcher(request).observe(tookMs / 1e3),
    text: () => {
      for (const [service, counted] of census()) showCensus(catalog, service, counted)
      return registry.metrics()
    },
  }
}

/** Kinds of requests are the protocol's own words, few, and each looked up once. */
const launcherObservers = ({ launcherSeconds }: Catalog) => {
  const observers = new Map<string, { observe(seconds: number): void }>()
  return (request: string) => {
    const observer = observers.get(request) ?? launcherSeconds.labels(request)
    observers.set(request, observer)
    return observer
  }
}

const showCensus = (catalog: Catalog, service: string, counted: Census): void => {
  for (const phase of phases) catalog.instances.set({ service, phase }, counted.phases.get(phase) ?? 0)
  catalog.waiting.set({ service }, counted.waiting)
}

/** 'api' of 'api:carol'. */
const serviceOf = (instance: string): string => instance.slice(0, instance.indexOf(':'))

const countRequest = (catalog: Catalog, byService: ReadonlyMap<string, ServiceMetrics>, told: ToldOfRequest): void => {
  const service = told.instance === undefined ? '' : serviceOf(told.instance)
  const metrics = byService.get(service)
  if (told.kind === 'refused')
    catalog.refusals.inc({ service: metrics === undefined ? '' : service, reason: told.reason })
  if (metrics === undefined) return
  if (told.kind === 'broken') metrics.broken.inc()
  if (told.kind === 'left') metrics.left.inc()
  if (told.kind === 'retried') metrics.retries.inc()
  if (told.kind !== 'answered') return
  metrics.answered(told.status).inc()
  if (told.durationMs !== undefined) metrics.requestSeconds.observe(told.durationMs / 1e3)
}

const countInstance = (catalog: Catalog, byService: ReadonlyMap<string, ServiceMetrics>, told: Told): void => {
  const metrics = byService.get(told.name.service)
  if (metrics === undefined) return
  if (told.kind === 'evicted') metrics.evictions.inc()
  if (told.kind === 'crashed') metrics.crashes.inc()
  if (told.kind === 'first answer') metrics.steps.first_byte.observe(told.tookMs / 1e3)
  if (told.kind === 'phase') countWake(catalog, metrics, told)
}

/** Steps count for wakes that ended well: how long a failed one took says nothing about how long a wake takes. */
const countWake = ({ wakes }: Catalog, { steps }: ServiceMetrics, change: PhaseChange): void => {
  const outcome = wakeOutcome(change)
  if (outcome === undefined || change.wake === undefined) return
  const { cause, steps: taken } = change.wake
  wakes.inc({ service: change.name.service, cause, outcome })
  if (outcome !== 'ready') return
  const { queueMs = 0, spawnMs = 0, readyMs = 0 } = taken
  steps.queue.observe(queueMs / 1e3)
  steps.spawn.observe(spawnMs / 1e3)
  steps.ready.observe(readyMs / 1e3)
}
