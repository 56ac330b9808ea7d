// Each thing that can be told moves its own series, and none other.
import { expect, test } from 'vitest'
import type { Phase } from '../../../src/control/operations.ts'
import { createMetrics, type Metrics } from '../../../src/metrics/metrics.ts'
import type { Told as ToldOfRequest } from '../../../src/router/report.ts'
import type { Census } from '../../../src/supervisor/census.ts'
import type { PhaseChange, Told } from '../../../src/supervisor/report.ts'
import { movedBetween, readMetrics } from './read.ts'

const nobody: Census['phases'] = new Map()

const metricsOf = (census = new Map<string, Census>([['notes', { phases: nobody, waiting: 0 }]])): Metrics =>
  createMetrics({ version: '1.2.3', services: ['notes', 'web'], reasons: ['waking'], census: () => census })

test('refusals are there from the start at nought, so that a rate does not miss the first', async () => {
  const read = readMetrics(await metricsOf().text())
  for (const service of ['', 'notes', 'web'])
    expect(read.get(`tenement_refusals_total{service="${service}",reason="waking"}`)).toBe(0)
})

/** Series of the process change by themselves. */
const isOwn = (series: string): boolean => series.startsWith('tenement_') && !series.includes('event_loop')

const moved = async (metrics: Metrics, act: () => void): Promise<Readonly<Record<string, number>>> => {
  const before = readMetrics(await metrics.text())
  act()
  const after = readMetrics(await metrics.text())
  return Object.fromEntries(Object.entries(movedBetween(before, after)).filter(([series]) => isOwn(series)))
}

/** What moved, without the buckets of histograms. */
const movedSums = async (act: (metrics: Metrics) => void): Promise<Readonly<Record<string, number>>> => {
  const metrics = metricsOf()
  return Object.fromEntries(
    Object.entries(await moved(metrics, () => act(metrics))).filter(([series]) => !series.includes('_bucket{')),
  )
}

const instance = 'notes:alice'

test.each<[string, ToldOfRequest, Record<string, number>]>([
  [
    'an answer of an instance',
    { kind: 'answered', instance, status: 204, durationMs: 250 },
    {
      'tenement_requests_total{service="notes",class="2xx"}': 1,
      'tenement_request_seconds_sum{service="notes"}': 0.25,
      'tenement_request_seconds_count{service="notes"}': 1,
    },
  ],
  [
    'an upgrade, however long it lasts',
    { kind: 'answered', instance, status: 101, durationMs: undefined },
    { 'tenement_requests_total{service="notes",class="1xx"}': 1 },
  ],
  [
    'a status that is none',
    { kind: 'answered', instance, status: 999, durationMs: undefined },
    { 'tenement_requests_total{service="notes",class="other"}': 1 },
  ],
  [
    'a refusal',
    { kind: 'refused', instance, reason: 'capacity' },
    { 'tenement_refusals_total{service="notes",reason="capacity"}': 1 },
  ],
  [
    'an unknown host',
    { kind: 'refused', instance: undefined, reason: 'unknown_host' },
    { 'tenement_refusals_total{service="",reason="unknown_host"}': 1 },
  ],
  [
    'an answer that broke off',
    { kind: 'broken', instance },
    { 'tenement_requests_unfinished_total{service="notes",how="broken"}': 1 },
  ],
  [
    'a client that left',
    { kind: 'left', instance },
    { 'tenement_requests_unfinished_total{service="notes",how="left"}': 1 },
  ],
  ['a retry', { kind: 'retried', instance }, { 'tenement_retries_total{service="notes"}': 1 }],
  ['a service that is not configured', { kind: 'retried', instance: 'made-up:alice' }, {}],
  [
    'a refusal for a service that is not configured',
    { kind: 'refused', instance: 'made-up:alice', reason: 'waking' },
    { 'tenement_refusals_total{service="",reason="waking"}': 1 },
  ],
])('%s counts where it belongs', async (_, told, expected) => {
  expect(await movedSums((metrics) => metrics.onRequest(told))).toEqual(expected)
})

const name = { service: 'notes', id: 'alice' }
const steps = { queueMs: 1_000, spawnMs: 40, readyMs: 300, firstByteMs: undefined }
const change = (before: Phase, phase: Phase, more: Partial<PhaseChange> = {}): PhaseChange => ({
  kind: 'phase',
  name,
  before,
  phase,
  why: undefined,
  atMs: 0,
  pid: undefined,
  isFailing: false,
  wake: { cause: 'request', steps },
  ...more,
})
const wakes = (cause: string, outcome: string): string =>
  `tenement_wakes_total{service="notes",cause="${cause}",outcome="${outcome}"}`
const step = (of: string, what: string): string => `tenement_wake_step_seconds_${what}{service="notes",step="${of}"}`

test.each<[string, Told, Record<string, number>]>([
  [
    'a wake that ends well, with its steps',
    change('starting', 'ready'),
    {
      [wakes('request', 'ready')]: 1,
      [step('queue', 'sum')]: 1,
      [step('queue', 'count')]: 1,
      [step('spawn', 'sum')]: 0.04,
      [step('spawn', 'count')]: 1,
      [step('ready', 'sum')]: 0.3,
      [step('ready', 'count')]: 1,
    },
  ],
  [
    'a wake for an operator that fails',
    change('starting', 'backoff', { wake: { cause: 'operator', steps } }),
    { [wakes('operator', 'failed')]: 1 },
  ],
  ['a wake out of time', change('starting', 'stopping', { isFailing: true }), { [wakes('request', 'failed')]: 1 }],
  ['a wake that is ordered to end', change('starting', 'stopping'), { [wakes('request', 'stopped')]: 1 }],
  ['a wake nobody waits for any more', change('queued', 'asleep'), { [wakes('request', 'dropped')]: 1 }],
  ['the start of a wake', change('queued', 'starting'), {}],
  ['falling asleep', change('stopping', 'asleep'), {}],
  ['a process taken over from an earlier server', change('starting', 'ready', { wake: undefined }), {}],
  [
    'the first answer',
    { kind: 'first answer', name, tookMs: 20 },
    { [step('first_byte', 'sum')]: 0.02, [step('first_byte', 'count')]: 1 },
  ],
  ['an eviction', { kind: 'evicted', name }, { 'tenement_evictions_total{service="notes"}': 1 }],
  ['a crash', { kind: 'crashed', name }, { 'tenement_crashes_total{service="notes"}': 1 }],
  ['an end', { kind: 'end', name, phase: 'ready', why: 'x', atMs: 0, pid: 1 }, {}],
])('%s counts where it belongs', async (_, told, expected) => {
  const sums = await movedSums((metrics) => metrics.onInstance(told))
  for (const series of Object.keys(expected)) expect(sums[series], series).toBeCloseTo(expected[series] ?? 0, 9)
  expect(Object.keys(sums).sort()).toEqual(Object.keys(expected).sort())
})

test('a request is counted in the bucket of its duration', async () => {
  const metrics = metricsOf()
  const byBucket = await moved(metrics, () =>
    metrics.onRequest({ kind: 'answered', instance, status: 200, durationMs: 30 }),
  )
  const bucket = (le: string): string => `tenement_request_seconds_bucket{le="${le}",service="notes"}`
  expect(byBucket[bucket('0.025')]).toBeUndefined()
  expect(byBucket[bucket('0.05')]).toBe(1)
  expect(byBucket[bucket('+Inf')]).toBe(1)
})

test('the launcher is timed by kind of request', async () => {
  const sums = await movedSums((metrics) => metrics.onLauncher('launch', 50))
  expect(sums).toEqual({
    'tenement_launcher_seconds_sum{request="launch"}': 0.05,
    'tenement_launcher_seconds_count{request="launch"}': 1,
  })
})

test('instances by phase and requests that wait are what the census says in that moment', async () => {
  const phases = new Map<Phase, number>([
    ['ready', 2],
    ['asleep', 998],
  ])
  const census = new Map<string, Census>([['notes', { phases, waiting: 7 }]])
  const metrics = metricsOf(census)
  const first = readMetrics(await metrics.text())
  expect(first.get('tenement_instances{service="notes",phase="asleep"}')).toBe(998)
  expect(first.get('tenement_instances{service="notes",phase="ready"}')).toBe(2)
  expect(first.get('tenement_requests_waiting{service="notes"}')).toBe(7)
  census.set('notes', { phases: new Map([['asleep', 1_000]]), waiting: 0 })
  const second = readMetrics(await metrics.text())
  expect(second.get('tenement_instances{service="notes",phase="ready"}')).toBe(0)
  expect(second.get('tenement_requests_waiting{service="notes"}')).toBe(0)
})

test('series are there before anything happened, so that no first event is missed', async () => {
  const series = readMetrics(await metricsOf().text())
  for (const service of ['notes', 'web']) {
    expect(series.get(`tenement_crashes_total{service="${service}"}`)).toBe(0)
    expect(series.get(`tenement_wakes_total{service="${service}",cause="request",outcome="failed"}`)).toBe(0)
    expect(series.get(`tenement_request_seconds_count{service="${service}"}`)).toBe(0)
  }
  expect(series.get('tenement_build_info{version="1.2.3"}')).toBe(1)
})

test('the process of the server tells about itself', async () => {
  const series = readMetrics(await metricsOf().text())
  expect(series.get('process_resident_memory_bytes')).toBeGreaterThan(10e6)
  expect(series.get('process_open_fds')).toBeGreaterThan(3)
  expect(series.get('process_cpu_seconds_total')).toBeGreaterThan(0)
  expect(series.get('nodejs_heap_size_used_bytes')).toBeGreaterThan(1e6)
  expect(
    Math.abs((series.get('process_start_time_seconds') ?? 0) - (Date.now() / 1e3 - process.uptime())),
  ).toBeLessThan(5)
  expect(series.get('tenement_event_loop_busy_seconds_total')).toBeGreaterThan(0)
})
