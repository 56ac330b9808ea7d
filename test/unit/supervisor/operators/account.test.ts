import { expect, test } from 'vitest'
import type { Caller } from '../../../../src/router/wake.ts'
import { Harness, nameOf, settled } from '../harness.ts'

const browser: Caller = { method: 'GET', host: 'alice.notes.example.com', client: 'browser' }

const time = (ms: number): string => new Date(ms).toISOString()

test('an instance that nobody asked for has no history and waits for a request', () => {
  const house = new Harness()
  expect(house.why()).toMatchObject({
    phase: 'asleep',
    since: null,
    serverSince: time(house.clock.wallMs()),
    woken: null,
    stopped: null,
    next: { step: 'wake', at: null },
  })
})

test('an instance that was woken by a request tells which, and when it falls asleep', async () => {
  const house = new Harness({ rules: { idleTimeoutMs: 60_000 } })
  const beganMs = house.clock.wallMs()
  const request = house.request('notes:alice', beganMs, { caller: browser })
  await settled()
  expect(house.why()).toMatchObject({
    phase: 'starting',
    next: { step: 'deadline', at: time(beganMs + 60_000) },
    waiting: 1,
  })
  house.process().isListening = true
  await house.clock.advance(100)
  expect(house.why()).toMatchObject({ phase: 'ready', next: { step: 'stay', at: null }, active: 1, waiting: 0 })
  if (request.outcome === undefined || !('lease' in request.outcome)) throw new Error('no lease')
  request.outcome.lease.release()
  await house.clock.advance(10_000)
  expect(house.why()).toMatchObject({
    woken: { at: time(beganMs), by: 'request', order: null, request: browser },
    next: { step: 'sleep', at: time(house.clock.wallMs() + 50_000) },
    idleTimeoutMs: 60_000,
  })
})

test('the request that has waited longest is what woke an instance, though others came later', async () => {
  const house = new Harness()
  house.request('notes:alice', house.clock.wallMs(), { caller: browser })
  house.request('notes:alice', house.clock.wallMs(), { caller: { ...browser, client: 'program' } })
  await settled()
  expect(house.why().woken).toMatchObject({ by: 'request', request: browser })
})

test('an instance that fell asleep tells that it was idle, since when, and that a request wakes it', async () => {
  const house = new Harness({ rules: { idleTimeoutMs: 60_000 } })
  await house.ready()
  const unusedFromMs = house.clock.wallMs()
  await house.clock.advance(61_000)
  const at = time(unusedFromMs + 60_000)
  expect(house.why()).toMatchObject({
    phase: 'asleep',
    since: at,
    stopped: { at, cause: 'idle', told: 'idle for 1m', evictedFor: null, exit: { outOfMemory: false } },
    next: { step: 'wake' },
  })
})

test('an instance that made room tells for whom', async () => {
  const house = new Harness({ maxRunning: 1 })
  await house.ready()
  await house.clock.advance(6_000)
  house.request('notes:bob')
  await house.clock.advance(10)
  expect(house.why().stopped).toMatchObject({ cause: 'evicted', evictedFor: 'notes:bob' })
})

test('an instance that crashed tells how, with its last lines, and when the next try is', async () => {
  const house = new Harness()
  house.request('notes:alice', house.clock.wallMs(), { caller: browser })
  await settled()
  house.process().exit({ code: 3, lastLines: ['Traceback', 'no such module'] })
  await settled()
  const account = house.why()
  expect(account).toMatchObject({
    phase: 'backoff',
    stopped: {
      cause: 'crash',
      told: 'exited with code 3 after 0ms',
      exit: { code: 3 },
      lastLines: ['Traceback', 'no such module'],
    },
    next: { step: 'retry', at: house.status().nextAttemptAt },
    crashesInARow: 1,
    waiting: 1,
  })
  await house.clock.advance(500)
  expect(house.why().woken).toMatchObject({ by: 'crash', request: browser })
})

test('a start that never became a process is not told with the exit of an earlier one', async () => {
  let fails = false
  const house = new Harness({
    launch: async (_, make) => (fails ? Promise.reject(new Error('no such program')) : make()),
  })
  const process = await house.ready()
  process.exit({ code: 0 })
  await house.clock.advance(1_000)
  fails = true
  house.request()
  await settled()
  expect(house.why().stopped).toMatchObject({
    cause: 'crash',
    told: 'could not be started: no such program',
    exit: null,
    lastLines: [],
  })
})

test('an instance that is left alone tells when its breaker lets a request try', async () => {
  const house = new Harness()
  await house.crashUntilLeftAlone()
  expect(house.why()).toMatchObject({
    phase: 'crashlooped',
    next: { step: 'try', at: time(house.clock.wallMs() + 300_000) },
    crashesInARow: 5,
  })
})

test('orders of an operator are told by their command', async () => {
  const house = new Harness()
  void house.supervisor.operations.wake(nameOf('notes:alice'))
  await settled()
  house.process().isListening = true
  await house.clock.advance(100)
  expect(house.why().woken).toMatchObject({ by: 'operator', order: 'wake', request: null })
  void house.supervisor.operations.restart(nameOf('notes:alice'))
  await settled()
  expect(house.why()).toMatchObject({
    woken: { by: 'operator', order: 'restart' },
    stopped: { cause: 'operator', told: 'restarted by an operator' },
  })
  house.process().isListening = true
  await house.clock.advance(100)
  house.process().obeys = false
  void house.supervisor.operations.disable(nameOf('notes:alice'))
  await settled()
  expect(house.why()).toMatchObject({
    phase: 'stopping',
    next: { step: 'kill', at: time(house.clock.wallMs() + 10_000) },
  })
  house.process().exit({ signal: 'SIGTERM', code: null })
  await settled()
  expect(house.why()).toMatchObject({ phase: 'disabled', next: { step: 'enable', at: null } })
})

test('an instance that ends by itself, in order and unused, has chosen to', async () => {
  const house = new Harness()
  const process = await house.ready()
  process.exit({ code: 0 })
  await settled()
  expect(house.why().stopped).toMatchObject({ cause: 'chosen', told: expect.stringContaining('exited with code 0') })
})

test('one that autostart had started is told as that, and one that this machine cannot run as refused', async () => {
  const house = new Harness({
    rules: { autostart: true },
    services: { shop: {} },
    declared: { notes: ['alice'], shop: ['main'] },
    unrunnable: new Map([['shop', 'no memory limit here']]),
  })
  house.supervisor.autostart()
  await settled()
  expect(house.why().woken).toMatchObject({ by: 'autostart', request: null })
  expect(house.why('shop:main')).toMatchObject({
    phase: 'asleep',
    refused: 'no memory limit here',
    next: { step: 'refused', at: null },
  })
})

test('ten thousand instances that nobody asked for leave nothing behind when they are asked about', () => {
  const ids = Array.from({ length: 10_000 }, (_, index) => `t${index}`)
  const house = new Harness({ declared: { notes: ids } })
  for (const id of ids) expect(house.why(`notes:${id}`).woken).toBeNull()
  expect(house.supervisor.operations.names()).toHaveLength(10_000)
  expect(house.clock.pending).toBe(0)
})
