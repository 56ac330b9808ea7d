// What a whole tenement tells of itself while things happen to it: each metric moves when its thing happens, and not otherwise.
import { type RequestOptions, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apps, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'
import { movedBetween, readMetrics } from '../../unit/metrics/read.ts'

let tenement: Tenement
let port: number
beforeAll(async () => {
  tenement = await startTenement({
    settings: `metrics = "127.0.0.1:0"\nexpose_timing = true\nmax_running = 2`,
    config: `
[service.api]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
[service.odd]
command = "node breaks-off.mjs"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
[service.broken]
command = "sh -c 'exit 3'"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
[service.never]
command = "sleep 3600"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
[instances]
never = ["alice"]
api = ["alice", "bob", "carol"]
odd = ["alice"]
broken = ["alice"]
`,
  })
  const told = (): string | undefined =>
    /"listen":\["127\.0\.0\.1:(\d+)"\],"msg":"metrics are told"/.exec(tenement.output())?.[1]
  await waitUntil(() => told() !== undefined)
  port = Number(told())
})
afterAll(async () => {
  await tenement.stop()
})

type Text = { readonly status: number; readonly body: string }

const get = (options: RequestOptions): Promise<Text> =>
  new Promise((resolve, reject) => {
    const asked = request({ ...options, agent: false }, (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject)
    })
    asked.on('error', reject)
    asked.end()
  })

const scrape = (host = `127.0.0.1:${port}`): Promise<Text> =>
  get({ port, host: '127.0.0.1', path: '/metrics', headers: { host } })

const read = async () => {
  const socketPath = join(tenement.root, 'run', 'control.sock')
  return readMetrics((await get({ socketPath, path: '/v1/metrics', headers: { host: 'localhost' } })).body)
}

/** Asks, and leaves before the answer. */
const leave = (host: string): Promise<void> =>
  new Promise((resolve) => {
    const asked = request({
      port: tenement.port,
      host: '127.0.0.1',
      path: '/slow?ms=60000',
      headers: { host },
      agent: false,
    })
    asked.on('error', () => resolve())
    asked.end()
    setTimeout(() => asked.destroy(), 200)
  })

const isCounter = (series: string): boolean =>
  series.startsWith('tenement_') && /(_total|_count)\{/.test(series) && !series.includes('launcher')

const wakes = (service: string, cause: string, outcome: string): string =>
  `tenement_wakes_total{service="${service}",cause="${cause}",outcome="${outcome}"}`
const stepsOf = (service: string): Record<string, number> =>
  Object.fromEntries(
    ['queue', 'spawn', 'ready'].map((step) => [
      `tenement_wake_step_seconds_count{service="${service}",step="${step}"}`,
      1,
    ]),
  )
const answered = (service: string, status = '2xx'): Record<string, number> => ({
  [`tenement_requests_total{service="${service}",class="${status}"}`]: 1,
  [`tenement_request_seconds_count{service="${service}"}`]: 1,
})
const firstByte = (service: string): Record<string, number> => ({
  [`tenement_wake_step_seconds_count{service="${service}",step="first_byte"}`]: 1,
})

test.each<[string, () => Promise<unknown>, Record<string, number>]>([
  [
    'a request that wakes its instance',
    () => tenement.ask('alice.api.test'),
    { [wakes('api', 'request', 'ready')]: 1, ...stepsOf('api'), ...answered('api'), ...firstByte('api') },
  ],
  ['a request to a ready instance', () => tenement.ask('alice.api.test'), answered('api')],
  ['nothing at all', async () => undefined, {}],
  [
    'a host that nobody has, in any spelling',
    () => tenement.ask('made-up.api.test'),
    { 'tenement_refusals_total{service="",reason="unknown_host"}': 1 },
  ],
  [
    'an operator who wakes an instance',
    () => tenement.command('wake', 'api:bob'),
    { [wakes('api', 'operator', 'ready')]: 1, ...stepsOf('api') },
  ],
  [
    'an instance that makes room for another',
    () => tenement.ask('carol.api.test'),
    {
      [wakes('api', 'request', 'ready')]: 1,
      ...stepsOf('api'),
      ...answered('api'),
      ...firstByte('api'),
      'tenement_evictions_total{service="api"}': 1,
    },
  ],
  [
    'a client that leaves',
    () => leave('carol.api.test'),
    { 'tenement_requests_unfinished_total{service="api",how="left"}': 1 },
  ],
  [
    'a crash while it is asked',
    () => tenement.ask('carol.api.test', { method: 'POST', path: '/crash?code=9' }),
    {
      'tenement_refusals_total{service="api",reason="upstream_broke"}': 1,
      'tenement_crashes_total{service="api"}': 1,
    },
  ],
  [
    'an answer that breaks off',
    () => tenement.ask('alice.odd.test').catch(() => undefined),
    {
      [wakes('odd', 'request', 'ready')]: 1,
      ...stepsOf('odd'),
      ...firstByte('odd'),
      'tenement_requests_unfinished_total{service="odd",how="broken"}': 1,
    },
  ],
  [
    'an instance that is disabled',
    async () => {
      await tenement.command('disable', 'odd:alice')
      await tenement.ask('alice.odd.test')
    },
    { 'tenement_refusals_total{service="odd",reason="disabled"}': 1 },
  ],
])('%s moves its own counters', async (_, act, expected) => {
  const before = await read()
  await act()
  const moved = async (): Promise<Record<string, number>> =>
    Object.fromEntries(Object.entries(movedBetween(before, await read())).filter(([series]) => isCounter(series)))
  // A crash, and a client's leaving, are known a moment after the answer.
  await waitUntil(async () => Object.keys(await moved()).length >= Object.keys(expected).length)
  expect(await moved()).toEqual(expected)
})

test('a start that fails is counted as crash and failed wake, and what its clients are told', async () => {
  const before = await read()
  expect((await tenement.ask('alice.broken.test')).status).toBe(503)
  const moved = movedBetween(before, await read())
  expect(moved['tenement_crashes_total{service="broken"}']).toBeGreaterThanOrEqual(1)
  // What is tried again by itself is woken for the crash, not for the request.
  const failed = ['request', 'crash'].map((cause) => moved[wakes('broken', cause, 'failed')] ?? 0)
  expect(failed[0]).toBeGreaterThanOrEqual(1)
  expect(failed.reduce((sum, count) => sum + count)).toBe(moved['tenement_crashes_total{service="broken"}'])
  expect(Object.keys(moved).filter((series) => series.startsWith('tenement_refusals_total'))).toHaveLength(1)
})

test('a request that its instance dropped unanswered is given to it again', async () => {
  await waitUntil(async () => (await tenement.status('api:carol')).phase !== 'backoff')
  await tenement.ask('carol.api.test')
  const before = await read()
  await tenement.ask('carol.api.test', { path: '/crash' })
  const moved = movedBetween(before, await read())
  expect(moved['tenement_retries_total{service="api"}']).toBeGreaterThanOrEqual(1)
})

test('a request that waits is counted while it waits', async () => {
  const waiting = async (): Promise<number | undefined> =>
    (await read()).get('tenement_requests_waiting{service="never"}')
  const asked = tenement.ask('alice.never.test')
  await waitUntil(async () => (await waiting()) === 1)
  expect((await read()).get('tenement_requests_waiting{service="api"}')).toBe(0)
  await tenement.command('stop', 'never:alice')
  expect((await asked).status).toBe(503)
  expect(await waiting()).toBe(0)
})

test('instances are counted by phase', async () => {
  const phase = (metrics: ReadonlyMap<string, number>, service: string, name: string): number | undefined =>
    metrics.get(`tenement_instances{service="${service}",phase="${name}"}`)
  await tenement.command('stop', 'api:bob')
  await tenement.command('wake', 'api:bob')
  const awake = await read()
  expect(phase(awake, 'odd', 'disabled')).toBe(1)
  expect(phase(awake, 'api', 'ready')).toBeGreaterThanOrEqual(1)
  await tenement.command('stop', 'api:bob')
  const asleep = await read()
  expect(phase(asleep, 'api', 'ready')).toBe((phase(awake, 'api', 'ready') ?? 0) - 1)
  expect(phase(asleep, 'api', 'asleep')).toBe((phase(awake, 'api', 'asleep') ?? 0) + 1)
})

test('the launcher is timed, and the server tells about its process', async () => {
  const metrics = await read()
  expect(metrics.get('tenement_launcher_seconds_count{request="launch"}')).toBeGreaterThanOrEqual(3)
  expect(metrics.get('process_resident_memory_bytes')).toBeGreaterThan(10e6)
})

test('no instance, host or path makes a series of its own', async () => {
  const { stdout } = await tenement.command('metrics')
  expect(stdout).not.toMatch(/alice|bob|carol|made-up|\.test|slow|crash\?/)
})

describe('the address of metrics', () => {
  test('tells the same as the command', async () => {
    const { status, body } = await scrape()
    expect(status).toBe(200)
    const names = (told: string): string[] => [...readMetrics(told).keys()].sort()
    expect(names(body)).toEqual(names((await tenement.command('metrics')).stdout))
  })

  test('tells nothing under a name that is not its own', async () => {
    expect((await scrape('alice.api.test')).status).toBe(403)
  })

  test('survives the server', async () => {
    const pid = await tenement.serverPid()
    process.kill(pid, 'SIGKILL')
    await waitUntil(async () => (await tenement.serverPid().catch(() => pid)) !== pid)
    // The connection waits in the kernel for the next server.
    const { status, body } = await scrape()
    expect(status).toBe(200)
    expect(body).toContain('tenement_instances{service="api",phase="ready"}')
  })
})

test('status tells how long each step of the last wake took, and the answer tells its client', async () => {
  await tenement.command('stop', 'api:alice')
  const { headers } = await tenement.ask('alice.api.test')
  const [, queue, wake, app] =
    /^tn-queue;dur=(\S+), tn-wake;dur=(\S+), tn-app;dur=(\S+)$/.exec(String(headers['server-timing'])) ?? []
  const { lastWake } = await tenement.status('api:alice')
  expect(lastWake).toMatchObject({ cause: 'request' })
  // The request was there before each of them began.
  expect(Number(wake)).toBeGreaterThanOrEqual(lastWake.spawnMs + lastWake.readyMs - 0.1)
  expect(Number(queue)).toBeGreaterThanOrEqual(lastWake.queueMs - 0.1)
  expect(Number(app)).toBeGreaterThan(0)
  // Told to the tenth of a millisecond each.
  expect(lastWake.firstByteMs).toBeGreaterThanOrEqual(Number(app) - 0.1)
  expect((await tenement.command('status', 'api:alice')).stdout).toMatch(
    /^last wake: +queue \S+ms, spawn \S+ms, ready \S+ms, first byte \S+ms, for a request \(/m,
  )
})
