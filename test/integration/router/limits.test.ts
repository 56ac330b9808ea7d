// What one client can cost everybody: how many instances it wakes, and what monitors and circles of requests may not wake.
import { request } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { createGuards } from '../../../src/router/guards.ts'
import { createWakeLimits } from '../../../src/router/wakeLimits.ts'
import {
  answering,
  ask,
  cleanUp,
  endpointAt,
  get,
  type Harness,
  type HarnessOptions,
  httpInstance,
  startRouter,
} from './harness.ts'

afterEach(cleanUp)

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'

/** Every host of notes is an instance, and asleep. */
const anyInstance = (host: string): string => `notes:${host.split('.')[0]}`

const sleeping = async (options: HarnessOptions = {}): Promise<Harness> => {
  const instance = await answering(ok, true)
  return startRouter(endpointAt(instance.port), {
    match: anyInstance,
    isAsleep: () => true,
    guards: createGuards({ wakesPerClient: 3 }),
    trustedProxies: ['127.0.0.1'],
    ...options,
  })
}

const from = (client: string, id: string, more = ''): string =>
  `GET / HTTP/1.1\r\nHost: ${id}.notes.example.com\r\nConnection: close\r\nX-Forwarded-For: ${client}\r\n${more}\r\n`

const statuses = async ({ port }: Harness, requests: readonly string[]): Promise<string[]> => {
  const given: string[] = []
  for (const each of requests) given.push((await ask(port, each)).slice(9, 12))
  return given
}

test('L4 rate limited: a client that wakes many different instances is told to wait, and wakes no more of them', async () => {
  const harness = await sleeping()
  const client = '203.0.113.9'
  const ids = ['a', 'b', 'a', 'c', 'b']
  expect(
    await statuses(
      harness,
      ids.map((id) => from(client, id)),
    ),
  ).toEqual(ids.map(() => '200'))
  const refused = await ask(harness.port, from(client, 'd'))
  expect(refused).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n/)
  expect(refused).toContain('x-tenement-reason: rate_limited\r\n')
  expect(refused).toContain('x-tenement-delivered: 0\r\n')
  expect(refused).toContain('RateLimit-Policy: "wakes";q=3;w=60\r\n')
  const [, restS] = /RateLimit: "wakes";r=0;t=(\d+)\r\n/.exec(refused) ?? []
  const [, retryS] = /Retry-After: (\d+)\r\n/.exec(refused) ?? []
  expect(Number(restS)).toBeGreaterThan(0)
  expect(Number(restS)).toBeLessThanOrEqual(60)
  expect(Number(retryS)).toBeGreaterThanOrEqual(Number(restS))
  expect(harness.wakes).toHaveLength(ids.length)
  expect(await statuses(harness, [from(client, 'a'), from('198.51.100.1', 'd')])).toEqual(['200', '200'])
})

test('a client that is told to wait is never told a shorter time than it has to wait', async () => {
  let nowMs = 0
  const guards = { ...createGuards({ wakesPerClient: 1 }), wakes: createWakeLimits(1, () => nowMs) }
  const harness = await sleeping({ guards, random: () => 0 })
  expect(await statuses(harness, [from('203.0.113.9', 'a')])).toEqual(['200'])
  nowMs = 58_600
  const refused = await ask(harness.port, from('203.0.113.9', 'b'))
  expect(refused).toContain('RateLimit: "wakes";r=0;t=2\r\n')
  expect(refused).toContain('Retry-After: 2\r\n')
})

test('an IPv6 client is its network, and what a client says before its own address changes nothing', async () => {
  const harness = await sleeping()
  const requests = ['1', '2', '3', '4'].map((end) => from(`2001:db8::${end}`, `v6-${end}`))
  expect(await statuses(harness, requests)).toEqual(['200', '200', '200', '429'])
  const lying = ['1', '2', '3', '4'].map((end) => from(`198.51.100.${end}, 203.0.113.9`, `v4-${end}`))
  expect(await statuses(harness, lying)).toEqual(['200', '200', '200', '429'])
})

test('one who waits is counted as the client that wakes are counted for', async () => {
  const instance = await answering(ok, true)
  const countedAs: (string | undefined)[] = []
  const harness = await startRouter(undefined, {
    match: anyInstance,
    trustedProxies: ['127.0.0.1'],
    pageAfterMs: 10_000,
    wake: async (context) => {
      countedAs.push(context.countedAs)
      return endpointAt(instance.port)
    },
  })
  const browser = 'Sec-Fetch-Mode: navigate\r\n'
  await ask(harness.port, from('198.51.100.7, 203.0.113.9', 'a'))
  await ask(harness.port, from('203.0.113.9', 'b', browser))
  await ask(harness.port, from('2001:db8::1', 'c'))
  await ask(harness.port, get())
  expect(countedAs).toEqual(['203.0.113.9', '203.0.113.9', '2001:db8:0:0::/64', undefined])
})

test('this machine and a proxy on its own behalf may wake as many as they like', async () => {
  const ids = ['a', 'b', 'c', 'd', 'e']
  const requests = ids.map((id) => `GET / HTTP/1.1\r\nHost: ${id}.notes.example.com\r\nConnection: close\r\n\r\n`)
  for (const trustedProxies of [['127.0.0.1'], []]) {
    const harness = await sleeping({ trustedProxies })
    expect(await statuses(harness, requests)).toEqual(ids.map(() => '200'))
  }
})

test('requests for what is awake are not counted', async () => {
  const harness = await sleeping({ isAsleep: () => false })
  const requests = ['a', 'b', 'c', 'd', 'e'].map((id) => from('203.0.113.9', id))
  expect(await statuses(harness, requests)).toEqual(requests.map(() => '200'))
})

test('a host that is unknown, a bad request and a body that is too large are not counted as wakes', async () => {
  const harness = await sleeping({
    match: (host) => (host.startsWith('nobody') ? undefined : anyInstance(host)),
    rules: { maxBodyBytes: 4 },
  })
  const client = '203.0.113.9'
  const free = [
    from(client, 'nobody'),
    from(client, 'x', 'Content-Length: 5\r\n'),
    from(client, 'x', 'Transfer-Encoding: x\r\n'),
  ]
  expect(await statuses(harness, [...free, ...free])).toEqual(['404', '413', '400', '404', '413', '400'])
  const allowed = ['a', 'b', 'c'].map((id) => from(client, id))
  expect(await statuses(harness, allowed)).toEqual(['200', '200', '200'])
})

test('who wakes too many is named in the log once, not once for each request', async () => {
  const harness = await sleeping()
  const requests = Array.from({ length: 20 }, (_, number) => from('203.0.113.9', `i-${number}`))
  await statuses(harness, requests)
  const warnings = harness.lines.filter(({ level }) => level === 'warn')
  expect(warnings).toMatchObject([{ client: '203.0.113.9', reason: 'rate_limited' }])
})

test('a client has one limit on all sockets of a server', async () => {
  const guards = createGuards({ wakesPerClient: 3 })
  const [one, other] = [await sleeping({ guards }), await sleeping({ guards })]
  const client = '203.0.113.9'
  expect(await statuses(one, [from(client, 'a'), from(client, 'b')])).toEqual(['200', '200'])
  expect(await statuses(other, [from(client, 'c'), from(client, 'd')])).toEqual(['200', '429'])
})

test('L4 health check while asleep: a health check of a sleeping instance is answered without waking it, and of one that is awake by itself', async () => {
  let isAsleep = true
  const instance = await answering('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n', true)
  const harness = await startRouter(endpointAt(instance.port), {
    isAsleep: () => isAsleep,
    rules: { asleepHealth: ['/healthz', '/ping'] },
  })
  for (const path of ['/healthz', '/ping', '/healthz?from=monitor']) {
    const answer = await ask(harness.port, get(path))
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answer).toContain('x-tenement-reason: asleep\r\n')
    expect(answer).toContain('x-tenement-delivered: 0\r\n')
    expect(answer).toContain('Cache-Control: no-store\r\n')
    expect(answer.endsWith('\r\n\r\n{"state":"asleep"}\n')).toBe(true)
  }
  expect(await ask(harness.port, `HEAD${get('/healthz').slice(3)}`)).toMatch(/Content-Length: 19\r\n(.+\r\n)*\r\n$/)
  expect(harness.wakes).toHaveLength(0)
  expect(await statuses(harness, [get('/healthz/'), get('/other'), `POST${get('/healthz').slice(3)}`])).toEqual(
    Array(3).fill('503'),
  )
  expect(harness.wakes).toHaveLength(3)
  isAsleep = false
  expect(await statuses(harness, [get('/healthz')])).toEqual(['503'])
  expect(harness.wakes).toHaveLength(4)
})

test('a health check counts as no wake of its client', async () => {
  const harness = await sleeping({ rules: { asleepHealth: ['/'] } })
  const checks = ['a', 'b', 'c', 'd', 'e'].map((id) => from('203.0.113.9', id))
  expect(await statuses(harness, checks)).toEqual(checks.map(() => '200'))
  expect(harness.wakes).toHaveLength(0)
})

test('L4 loop: an application that asks tenement for itself, headers and all, ends in a 508 and not in a storm', async () => {
  let served = 0
  let port = 0
  const { port: instance } = await httpInstance((req, res) => {
    served += 1
    const again = request({ port, host: '127.0.0.1', path: req.url, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 500, answer.rawHeaders)
      answer.pipe(res)
    })
    again.end()
  })
  const harness = await startRouter(endpointAt(instance))
  port = harness.port
  expect(await ask(harness.port, get())).toMatch(/^HTTP\/1\.1 508 Loop Detected\r\n/)
  expect(served).toBe(8)
  expect(harness.lines).toMatchObject([{ level: 'warn', reason: 'loop', status: 508, instance: 'notes:alice' }])
})

test('a client cannot say how often its request came through', async () => {
  const instance = await answering(ok, true)
  const harness = await startRouter(endpointAt(instance.port))
  await ask(harness.port, get('/', 'x-tenement-hops: 8.forged\r\nX_Tenement_Hops: 8.forged\r\n'))
  expect(instance.heard[0]?.match(/x.tenement.hops: .*/gi)).toEqual([expect.stringMatching(/^x-tenement-hops: 1\./)])
})
