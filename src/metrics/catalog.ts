// Every metric of tenement, each once: name, sentence, labels. Labels are words of tenement's own and names of services, never
// instances, hosts or paths: what strangers can make up must not make series.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** Seconds. A request of a static file takes less than a millisecond, one that waits for a wake half a minute. */
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const stepBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const launcherBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]

type Labels<Label extends string> = readonly Label[]

const counterIn =
  (registry: Registry) =>
  <Label extends string>(name: string, help: string, labels: Labels<Label>): Counter<Label> =>
    new Counter({ name, help, labelNames: [...labels], registers: [registry] })

const gaugeIn =
  (registry: Registry) =>
  <Label extends string>(name: string, help: string, labels: Labels<Label>): Gauge<Label> =>
    new Gauge({ name, help, labelNames: [...labels], registers: [registry] })

const histogramIn =
  (registry: Registry) =>
  <Label extends string>(
    name: string,
    help: string,
    labels: Labels<Label>,
    buckets: readonly number[],
  ): Histogram<Label> =>
    new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers: [registry] })

export const catalogIn = (registry: Registry) => {
  const counter = counterIn(registry)
  const gauge = gaugeIn(registry)
  const histogram = histogramIn(registry)
  return {
    build: gauge('tenement_build_info', 'Always 1, with the version of tenement.', ['version'] as const),
    instances: gauge('tenement_instances', 'Instances in each phase now.', ['service', 'phase'] as const),
    waiting: gauge('tenement_requests_waiting', 'Requests that wait for an instance to be ready now.', [
      'service',
    ] as const),
    wakes: counter('tenement_wakes_total', 'Wakes that are over, by what they were for and what came of them.', [
      'service',
      'cause',
      'outcome',
    ] as const),
    wakeSteps: histogram(
      'tenement_wake_step_seconds',
      'How long each step of a wake took: queue, spawn, ready, first_byte.',
      ['service', 'step'] as const,
      stepBuckets,
    ),
    requests: counter('tenement_requests_total', 'Requests that an instance answered, by class of status.', [
      'service',
      'class',
    ] as const),
    requestSeconds: histogram(
      'tenement_request_seconds',
      'From a request to the last byte of its answer by an instance, waiting for the wake included; no upgrades.',
      ['service'] as const,
      requestBuckets,
    ),
    refusals: counter(
      'tenement_refusals_total',
      'Requests that were refused, or shown a page that waits, by x-tenement-reason; without a service where no instance was found.',
      ['service', 'reason'] as const,
    ),
    unfinished: counter(
      'tenement_requests_unfinished_total',
      'Requests without a whole answer: the client left, or the instance broke off after it had begun.',
      ['service', 'how'] as const,
    ),
    retries: counter('tenement_retries_total', 'Requests given to an instance a second time.', ['service'] as const),
    evictions: counter('tenement_evictions_total', 'Instances told to end to make room for another.', [
      'service',
    ] as const),
    crashes: counter('tenement_crashes_total', 'Ends and failed starts that count as crashes.', ['service'] as const),
    launcherSeconds: histogram(
      'tenement_launcher_seconds',
      'From a message to the launcher to its answer, by kind; a "stop" is answered when the processes are gone.',
      ['request'] as const,
      launcherBuckets,
    ),
  }
}

export type Catalog = ReturnType<typeof catalogIn>
