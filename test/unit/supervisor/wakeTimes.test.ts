// Which step of a wake takes which time, and what a request is told of its own waiting.
import { expect, test } from 'vitest'
import { Harness, leaseOf, nameOf, settled } from './harness.ts'
import type { ScriptedProcess } from './scriptedProcess.ts'

const alice = nameOf('notes:alice')

test('a wake is timed by its steps, with a clock that nobody sets', async () => {
  let spawn = (): void => undefined
  const house = new Harness({
    maxConcurrentWakes: 1,
    launch: (name, make) =>
      name.id === 'bob'
        ? Promise.resolve(make())
        : new Promise<ScriptedProcess>((resolve) => {
            spawn = () => resolve(make())
          }),
  })
  house.request('notes:bob')
  const request = house.request()
  const steps = () => house.status().lastWake
  expect(steps()).toMatchObject({ cause: 'request', queueMs: null, spawnMs: null, readyMs: null, firstByteMs: null })
  await house.clock.advance(300)
  house.process('notes:bob').isListening = true
  await house.clock.advance(200)
  const queueMs = steps()?.queueMs ?? 0
  expect(queueMs).toBeGreaterThanOrEqual(300)
  expect(queueMs).toBeLessThanOrEqual(500)
  await house.clock.advance(70)
  expect(steps()?.spawnMs).toBeNull()
  spawn()
  await settled()
  expect(steps()?.spawnMs).toBeCloseTo(570 - queueMs, 1)
  await house.clock.advance(1_000)
  expect(steps()?.readyMs).toBeNull()
  house.process().isListening = true
  await house.clock.advance(200)
  const readyMs = steps()?.readyMs ?? 0
  expect(readyMs).toBeGreaterThanOrEqual(1_000)
  expect(readyMs).toBeLessThanOrEqual(1_200)
  const lease = leaseOf(request)
  expect(lease.waited).toEqual({
    queueMs: expect.closeTo(queueMs, 1),
    wakeMs: expect.closeTo(570 - queueMs + readyMs, 1),
  })
  const restMs = 1_200 - readyMs
  await house.clock.advance(30)
  lease.answered()
  expect(steps()?.firstByteMs).toBeCloseTo(restMs + 30, 1)
})

test('only the first answer of a run counts for its wake', async () => {
  const house = new Harness()
  const first = await house.leased()
  first.answered()
  const told = house.status().lastWake?.firstByteMs
  const second = await house.leased()
  await house.clock.advance(5_000)
  second.answered()
  expect(house.status().lastWake?.firstByteMs).toBe(told)
})

test('a request that finds its instance ready has waited for nothing', async () => {
  const house = new Harness()
  await house.ready()
  expect((await house.leased()).waited).toEqual({ queueMs: 0, wakeMs: 0 })
})

test('a request that comes in the middle of a wake is told of its own waiting alone', async () => {
  const house = new Harness()
  house.request()
  await house.clock.advance(4_000)
  const late = house.request()
  await house.clock.advance(500)
  house.process().isListening = true
  await house.clock.advance(100)
  const { queueMs, wakeMs } = leaseOf(late).waited
  expect(queueMs).toBe(0)
  expect(wakeMs).toBeGreaterThanOrEqual(500)
  expect(wakeMs).toBeLessThanOrEqual(600)
})

test('a wake says what it was for', async () => {
  const house = new Harness({ rules: { autostart: true } })
  house.supervisor.autostart()
  expect(house.status().lastWake?.cause).toBe('autostart')
  await settled()
  house.process().exit({ code: 0 })
  await settled()
  const other = new Harness()
  void other.supervisor.operations.wake(alice)
  expect(other.status().lastWake?.cause).toBe('operator')
})

test('a wake whose first cause left while it was queued says in every place what it started for', async () => {
  const house = new Harness({ maxConcurrentWakes: 1 })
  house.request('notes:bob')
  await settled()
  const first = house.request('notes:alice')
  void house.supervisor.operations.wake(nameOf('notes:alice'))
  await settled()
  expect(house.status().lastWake?.cause).toBe('request')
  first.leave()
  house.process('notes:bob').isListening = true
  await house.clock.advance(100)
  expect(house.phase()).toBe('starting')
  expect(house.status().lastWake?.cause).toBe('operator')
  expect(house.why().woken?.by).toBe('operator')
  house.process().isListening = true
  await house.clock.advance(100)
})

test('what an earlier server woke has no times of a wake', async () => {
  const before = new Harness()
  const process = await before.ready()
  const house = new Harness({
    state: before.state,
    adopted: [{ name: alice, process, note: { phase: 'ready', readyAtMs: before.clock.wallMs() } }],
  })
  expect(house.status()).toMatchObject({ phase: 'ready', lastWake: null })
  ;(await house.leased()).answered()
  expect(house.status().lastWake).toBeNull()
})
