// What a browser sees while an instance wakes, over real sockets, with a wake and a state of it that the test controls.
import { afterEach, expect, test } from 'vitest'
import type { Endpoint, WakeState } from '../../../src/router/wake.ts'
import {
  ask,
  cleanUp,
  endpointAt,
  get,
  type Harness,
  type HarnessOptions,
  hostOf,
  httpInstance,
  rawClient,
  rawInstance,
  signal,
  startRouter,
  until,
} from './harness.ts'

afterEach(cleanUp)

const asBrowser = 'Sec-Fetch-Mode: navigate\r\nAccept: text/html\r\n'
const asOldBrowser = 'Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n'
const path = '/.well-known/tenement/wake'
const events = 'Accept: text/event-stream\r\n'

interface Slow {
  readonly harness: Harness
  /** The instance becomes ready. */
  wakeUp(): void
  readonly state: { now: WakeState }
}

/** An instance that wakes when the test says so, and answers every request with "hello". */
const slowInstance = async (options: HarnessOptions = {}): Promise<Slow> => {
  const { port } = await httpInstance((_, res) => res.end('hello'))
  const awake = signal()
  const state = { now: { state: 'starting', forMs: 1_500 } as WakeState }
  const endpoint: Endpoint = endpointAt(port)
  const harness = await startRouter(undefined, {
    pageAfterMs: 1,
    look: () => state.now,
    wake: async () => {
      await awake.given
      return endpoint
    },
    ...options,
  })
  return { harness, wakeUp: awake.give, state }
}

test.each([
  ['a browser', asBrowser],
  ['a browser that does not say so', asOldBrowser],
])('%s is shown a page when its instance is not awake in time, and nothing was handed over', async (_, headers) => {
  const { harness } = await slowInstance()
  const answer = await ask(harness.port, get('/', headers))
  expect(answer).toMatch(/^HTTP\/1\.1 503 /)
  for (const header of [
    'Retry-After: 1',
    'Cache-Control: no-store',
    'X-Robots-Tag: noindex',
    'x-tenement-reason: waking',
    'x-tenement-delivered: 0',
  ])
    expect(answer).toContain(`\r\n${header}\r\n`)
  expect(answer).toContain('Waking up')
  expect(harness.leases()).toBe(0)
})

test('what a browser waited for is said to be wanted before its place is given up', async () => {
  const { harness } = await slowInstance()
  await ask(harness.port, get('/', asBrowser))
  expect(harness.wishes).toEqual(['notes:alice'])
  expect(harness.wakes.map(({ gone }) => gone.aborted)).toEqual([true])
})

test('a lease that comes after the page is given back', async () => {
  const { harness, wakeUp } = await slowInstance()
  await ask(harness.port, get('/', asBrowser))
  wakeUp()
  await until(() => harness.releases() === 1, 'the lease is released')
  expect(harness.leases()).toBe(0)
})

test('L4 HEAD: a HEAD gets the head of the page', async () => {
  const { harness } = await slowInstance()
  const answer = await ask(harness.port, get('/', asBrowser).replace('GET', 'HEAD'))
  expect(answer).toMatch(/^HTTP\/1\.1 503 /)
  expect(answer).toMatch(/\r\nContent-Length: \d{4}\r\n/)
  expect(answer.endsWith('\r\n\r\n')).toBe(true)
})

test('a browser whose instance is awake is answered by it, even with page_after = 0', async () => {
  const { harness, wakeUp } = await slowInstance({ pageAfterMs: 0 })
  wakeUp()
  expect(await ask(harness.port, get('/', asBrowser))).toMatch(/^HTTP\/1\.1 200 .*hello/s)
})

const form = 'POST / HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n'
const upgrade = 'GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
test.each([
  ['a program', get()],
  ['a script that fetches', get('/', 'Sec-Fetch-Mode: cors\r\nAccept: text/html\r\n')],
  ['an event stream', get('/', `Sec-Fetch-Mode: cors\r\n${events}`)],
  ['a form that is sent', `${form}Host: ${hostOf}\r\n${asBrowser}\r\na=1`],
  ['a form that is sent by a browser that does not say so', `${form}Host: ${hostOf}\r\n${asOldBrowser}\r\na=1`],
  ['a GET with a body', `${form.replace('POST', 'GET')}Host: ${hostOf}\r\n${asBrowser}\r\na=1`],
])('%s is held until its instance is awake, whatever page_after says', async (_, request) => {
  const { harness, wakeUp } = await slowInstance()
  const client = await rawClient(harness.port)
  client.write(request)
  await until(() => harness.wakes.length === 1, 'the request waits')
  // One that is shown a page comes after it, and goes before it.
  await ask(harness.port, get('/', asBrowser))
  expect(client.text()).toBe('')
  wakeUp()
  await client.receives('hello')
  expect(client.text()).toMatch(/^HTTP\/1\.1 200 /)
})

test('L4 upgrade while asleep: a WebSocket is held until its instance is awake', async () => {
  const instance = await rawInstance((socket, sofar) => {
    if (sofar.endsWith('\r\n\r\n'))
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  const awake = signal()
  const harness = await startRouter(undefined, {
    pageAfterMs: 1,
    wake: async () => {
      await awake.given
      return endpointAt(instance.port)
    },
  })
  const client = await rawClient(harness.port)
  client.write(`${upgrade}Host: ${hostOf}\r\n${asOldBrowser}\r\n`)
  await until(() => harness.wakes.length === 1, 'the request waits')
  await ask(harness.port, get('/', asBrowser))
  expect(client.text()).toBe('')
  awake.give()
  await client.receives('101 Switching Protocols')
})

test('page_after = "never" holds a browser like everybody else', async () => {
  const { port } = await httpInstance((_, res) => res.end('hello'))
  const awake = signal()
  const harness = await startRouter(undefined, {
    wake: async () => {
      await awake.given
      return endpointAt(port)
    },
  })
  const client = await rawClient(harness.port)
  client.write(get('/', asBrowser))
  await until(() => harness.wakes.length === 1, 'the request waits')
  awake.give()
  await client.receives('hello')
  expect(harness.wishes).toEqual([])
})

test('a page that looks on is told each change once, and nothing any more when the wake is over', async () => {
  const { harness, state } = await slowInstance()
  const client = await rawClient(harness.port)
  client.write(`GET ${path} HTTP/1.1\r\nHost: ${hostOf}\r\n${events}\r\n`)
  await client.receives('"state":"starting"')
  expect(client.text()).toContain('Content-Type: text/event-stream\r\n')
  expect(client.text()).toContain('X-Accel-Buffering: no\r\n')
  expect(client.text()).toContain('x-tenement-reason: wake\r\n')
  state.now = { state: 'backoff', retryInMs: 2_500 }
  await client.receives('"Next try in 3 seconds"')
  state.now = { state: 'done' }
  await client.receives(/"state":"done"[\s\S]*\r\n0\r\n\r\n$/)
  expect(client.text().match(/data: /g)).toHaveLength(3)
  expect(harness.wakes).toEqual([])
  expect(harness.wishes).toEqual([])
})

test('a program that looks on gets the same as JSON, and wakes nobody', async () => {
  const { harness } = await slowInstance()
  const answer = await ask(harness.port, get(path, 'Accept: application/json\r\n'))
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
  expect(answer).toContain('Cache-Control: no-store\r\n')
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual({
    state: 'starting',
    title: 'Waking up',
    text: 'The application was asleep, and is starting now.',
    time: '1 second',
  })
  expect(harness.wakes).toEqual([])
})

test('at a host that is nothing the path is the same 404 as any other', async () => {
  const { harness } = await slowInstance()
  const at = (target: string, accept: string): Promise<string> =>
    ask(harness.port, `GET ${target} HTTP/1.1\r\nHost: carol.notes.example.com\r\nConnection: close\r\n${accept}\r\n`)
  const undated = (answer: string): string => answer.replace(/Date: .*\r\n/, '')
  expect(undated(await at(path, events))).toBe(undated(await at('/', events)))
  expect(await at(path, events)).toContain('x-tenement-reason: unknown_host')
})

test.each([
  ['another path', get('/.well-known/tenement/other')],
  ['the prefix', get('/.well-known/tenement')],
  ['a POST', get(path).replace('GET', 'POST')],
  ['an upgrade', `${upgrade.replace('GET /', `GET ${path}`)}Host: ${hostOf}\r\n\r\n`],
])('below the paths of tenement %s is a 404 that neither wakes nor reaches the instance', async (_, request) => {
  const { harness, wakeUp } = await slowInstance()
  wakeUp()
  const answer = await ask(harness.port, request)
  expect(answer).toMatch(/^HTTP\/1\.1 404 /)
  expect(answer).toContain('x-tenement-reason: reserved_path')
  expect(harness.wakes).toEqual([])
})

test('the path of wakes is never the instance, awake or not', async () => {
  const { harness, wakeUp, state } = await slowInstance()
  wakeUp()
  state.now = { state: 'done' }
  const answer = await ask(harness.port, get(`${path}?x=1`))
  expect(answer).toContain('"state":"done"')
  expect(harness.wakes).toEqual([])
})

test('whoever opens more streams than there may be is told how things are, and to come back', async () => {
  const bounds = { most: 3, mostForOne: 2 }
  const { harness, state } = await slowInstance({ bounds })
  const open = async (host: string) => {
    const client = await rawClient(harness.port)
    client.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${events}\r\n`)
    await client.receives('"state":"starting"')
    return client
  }
  const isEnded = (client: { text(): string }): boolean => client.text().endsWith('\r\n0\r\n\r\n')
  const [alice, bob] = [hostOf, 'bob.notes.example.com']
  const kept = [await open(alice), await open(alice)]
  const third = await open(alice)
  await until(() => isEnded(third), 'the third stream of one instance ends')
  expect(third.text()).toMatch(/retry: [1-9]\d{3}\n/)
  kept.push(await open(bob))
  const fourth = await open(bob)
  await until(() => isEnded(fourth), 'the fourth stream of all ends')
  kept[0]?.socket.destroy()
  // As soon as the router has seen one leave there is room for another, which hears of the next change.
  for (let seconds = 3; ; seconds += 1) {
    const next = await open(bob)
    state.now = { state: 'starting', forMs: seconds * 1_000 }
    const hasHeard = (client: { text(): string }): boolean => client.text().includes(`"${seconds} seconds"`)
    await until(() => isEnded(next) || hasHeard(next), 'the stream ends or goes on')
    if (isEnded(next)) continue
    await until(() => kept.slice(1).every(hasHeard), 'those that were there hear of it too')
    return
  }
})

test('a stream ends after a while, whatever becomes of the wake, and says something now and then until it does', async () => {
  const { harness } = await slowInstance({ bounds: { silenceMs: 20, longestMs: 1_000, lookEveryMs: 10 } })
  const answer = await ask(harness.port, get(path, events))
  expect(answer.match(/data: /g)?.length).toBeGreaterThan(1)
  expect(answer.endsWith('0\r\n\r\n')).toBe(true)
})

test('nobody is looked at any more when the last who looked on has left', async () => {
  let looks = 0
  const look = (): WakeState => ({ state: 'queued', ahead: looks++ })
  const { harness } = await slowInstance({ look, bounds: { lookEveryMs: 1 } })
  const client = await rawClient(harness.port)
  client.write(`GET ${path} HTTP/1.1\r\nHost: ${hostOf}\r\n${events}\r\n`)
  await until(() => looks > 2, 'the stream is open')
  client.socket.destroy()
  let last = -1
  let sinceMs = 0
  await until(() => {
    if (looks !== last) sinceMs = performance.now()
    last = looks
    return performance.now() - sinceMs > 100
  }, 'looking stops')
})

test('a router that closes ends its streams', async () => {
  const { harness } = await slowInstance()
  const client = await rawClient(harness.port)
  client.write(`GET ${path} HTTP/1.1\r\nHost: ${hostOf}\r\n${events}\r\n`)
  await client.receives('"state":"starting"')
  await harness.router.close()
  expect(await client.closed).toBe('end')
  expect(client.text().endsWith('0\r\n\r\n')).toBe(true)
})

test('the page of a paused instance says that it is paused, and opens when that is over', async () => {
  const { harness, state } = await slowInstance()
  state.now = { state: 'paused' }
  const answer = await ask(harness.port, get('/', asBrowser))
  expect(answer).toMatch(/^HTTP\/1\.1 503 /)
  expect(answer).toContain('x-tenement-reason: paused')
  expect(answer).toContain('paused for maintenance')
})
