// Tests of the transition table (rows.ts), each named after its row, in the order of an instance's life.
import { expect, test } from 'vitest'
import { fateOf, Harness, leaseOf, nameOf, settled, temporaryState } from './harness.ts'

const minutes = (count: number): number => count * 60_000
const alice = nameOf('notes:alice')

test('L3.2 asleep + request: the instance is started and the request waits', async () => {
  const house = new Harness()
  expect(house.phase()).toBe('asleep')
  const request = house.request()
  await settled()
  expect(house.phase()).toBe('starting')
  expect(fateOf(request)).toBe('waiting')
})

test('L3.3 asleep + all places taken: the instance is queued, and started when a place is free', async () => {
  const house = new Harness({ maxConcurrentWakes: 1 })
  house.request('notes:alice')
  house.request('notes:bob')
  await settled()
  expect(house.phase('notes:bob')).toBe('queued')
  house.process('notes:alice').isListening = true
  await house.clock.advance(100)
  expect(house.phase('notes:bob')).toBe('starting')
})

test('L3.4 queued + its last waiter leaves: asleep again, nothing was started', async () => {
  const house = new Harness({ maxConcurrentWakes: 1 })
  house.request('notes:alice')
  const [one, other] = [house.request('notes:bob'), house.request('notes:bob')]
  one.leave()
  expect(house.phase('notes:bob')).toBe('queued')
  other.leave()
  expect(house.phase('notes:bob')).toBe('asleep')
  await house.clock.advance(5_000)
  expect(house.starts('notes:bob')).toBe(0)
})

test('L3.5 L4 no capacity: queued + no room within the hold time: the request is refused for capacity, and the instance sleeps', async () => {
  const house = new Harness({ maxRunning: 1 })
  await house.leased('notes:alice')
  const request = house.request('notes:bob')
  await house.clock.advance(29_000)
  expect(fateOf(request)).toBe('waiting')
  await house.clock.advance(1_500)
  expect(fateOf(request)).toBe('capacity')
  expect(house.phase('notes:bob')).toBe('asleep')
})

test('L3.7 starting + accepts a connection: ready, and those who waited are served in order of arrival', async () => {
  const house = new Harness()
  const order: number[] = []
  const requests = [0, 1, 2].map((number) => {
    const request = house.request()
    void request.settled.then(() => order.push(number))
    return request
  })
  await settled()
  house.process().isListening = true
  await house.clock.advance(100)
  expect(requests.map(fateOf)).toEqual(['served', 'served', 'served'])
  expect(order).toEqual([0, 1, 2])
  expect(house.status()).toMatchObject({ phase: 'ready', active: 3, requests: 3 })
})

test('L3.8 starting + exit: backoff at once, without waiting for start_timeout', async () => {
  const house = new Harness()
  const request = house.request()
  await settled()
  house.process().exit({ code: 3 })
  await settled()
  expect(house.phase()).toBe('backoff')
  expect(house.status().lastExit).toMatchObject({ code: 3, signal: null })
  // The next try fits into the hold time, so nobody is turned away.
  expect(fateOf(request)).toBe('waiting')
  await house.clock.advance(1_000)
  expect(house.starts()).toBe(2)
})

test('L3.8 starting + exit with too little hold time left: the request is refused as start_failed', async () => {
  const house = new Harness({ holdTimeoutMs: 1_000 })
  const request = house.request()
  await house.clock.advance(900)
  house.process().exit({ code: 3 })
  await settled()
  expect(fateOf(request)).toBe('start_failed')
})

test('L3.9 starting + start_timeout: killed and counted as a crash, never taken for ready', async () => {
  const house = new Harness({ rules: { startTimeoutMs: 5_000 } })
  house.request()
  await house.clock.advance(4_900)
  expect(house.phase()).toBe('starting')
  await house.clock.advance(100)
  expect(house.process().orders).toEqual(['kill'])
  expect(house.status()).toMatchObject({ phase: 'backoff', lastStop: 'was not ready within 5s' })
})

test('L3.9 starting + start_timeout + an order to stop: asleep, and not tried again', async () => {
  const house = new Harness({ rules: { startTimeoutMs: 5_000 } })
  const request = house.request()
  await settled()
  const process = house.process()
  process.obeys = false
  await house.clock.advance(5_100)
  expect(house.phase()).toBe('stopping')
  const stopped = house.supervisor.operations.stop(alice)
  process.exit({ code: null, signal: 'SIGKILL' })
  expect(await stopped).toMatchObject({ phase: 'asleep', nextAttemptAt: null })
  expect(fateOf(request)).toBe('stopped')
})

test('L3.10 starting + every client leaves: it starts all the same, and its idle time begins', async () => {
  const house = new Harness()
  const request = house.request()
  await settled()
  request.leave()
  house.process().isListening = true
  await house.clock.advance(100)
  expect(house.phase()).toBe('ready')
  await house.clock.advance(minutes(5))
  expect(house.phase()).toBe('asleep')
})

test('L3.11 ready + idle_timeout without a lease: stopped, asleep, and said to have been idle', async () => {
  const house = new Harness()
  const process = await house.ready()
  await house.clock.advance(minutes(5) - 200)
  expect(house.phase()).toBe('ready')
  await house.clock.advance(300)
  expect(house.status()).toMatchObject({ phase: 'asleep', lastStop: 'idle for 5m', pid: null })
  expect(process.orders).toEqual(['stop'])
})

test('L3.12 draining as idle + request before the signal: ready again, the same process, no signal', async () => {
  const house = new Harness({ maxRunning: 1 })
  const process = await house.ready('notes:alice')
  await house.clock.advance(6_000)
  house.request('notes:bob')
  expect(house.phase('notes:alice')).toBe('draining')
  const request = house.request('notes:alice')
  await settled()
  expect(fateOf(request)).toBe('served')
  expect(leaseOf(request).endpoint.gone.aborted).toBe(false)
  expect(house.phase('notes:alice')).toBe('ready')
  await house.clock.advance(1_000)
  expect(process.orders).toEqual([])
  expect(house.starts('notes:alice')).toBe(1)
})

test('L3.13 draining by order + the last lease ends: the stop signal is sent then, not before', async () => {
  const house = new Harness()
  const lease = await house.leased()
  const stopped = house.supervisor.operations.stop(alice)
  await house.clock.advance(10_000)
  expect(house.phase()).toBe('draining')
  expect(house.process().orders).toEqual([])
  expect(lease.endpoint.gone.aborted).toBe(false)
  lease.release()
  expect(house.process().orders).toEqual(['stop'])
  expect(lease.endpoint.gone.aborted).toBe(true)
  expect(await stopped).toMatchObject({ phase: 'asleep', lastStop: 'stopped by an operator' })
})

test('L3.13 draining by order + drain_timeout: the stop signal is sent though a lease is held', async () => {
  const house = new Harness()
  const lease = await house.leased()
  const stopped = house.supervisor.operations.stop(alice)
  await house.clock.advance(29_900)
  expect(house.process().orders).toEqual([])
  await house.clock.advance(200)
  expect(house.process().orders).toEqual(['stop'])
  await stopped
  expect(house.status()).toMatchObject({ phase: 'asleep', active: 0 })
  lease.release()
  expect(house.status().active).toBe(0)
})

test('L3.14 draining by order + request: it waits for the next start and is not served by the process that ends', async () => {
  const house = new Harness()
  const lease = await house.leased()
  const stopped = house.supervisor.operations.stop(alice)
  const request = house.request()
  await settled()
  expect(fateOf(request)).toBe('waiting')
  lease.release()
  await stopped
  await settled()
  expect(house.starts()).toBe(2)
  house.process().isListening = true
  await house.clock.advance(100)
  expect(leaseOf(request).endpoint).not.toBe(lease.endpoint)
})

test('draining by order + exit: asleep, and said to have ended by itself', async () => {
  const house = new Harness()
  await house.leased()
  const stopped = house.supervisor.operations.stop(alice)
  await settled()
  house.process().exit({ code: 7 })
  expect(await stopped).toMatchObject({
    phase: 'asleep',
    lastStop: 'exited with code 7 after 100ms',
    nextAttemptAt: null,
  })
})

test('L3.14 stopping + request: it waits, and the next process starts only when the group is empty', async () => {
  const house = new Harness()
  const process = await house.ready()
  process.obeys = false
  void house.supervisor.operations.stop(alice)
  await settled()
  const request = house.request()
  await house.clock.advance(5_000)
  expect(house.phase()).toBe('stopping')
  expect(house.starts()).toBe(1)
  process.exit({})
  await settled()
  expect(house.starts()).toBe(2)
  house.process().isListening = true
  await house.clock.advance(100)
  expect(fateOf(request)).toBe('served')
})

test('L3.15 stopping + empty group without a waiter: asleep', async () => {
  const house = new Harness()
  const process = await house.ready()
  process.obeys = false
  void house.supervisor.operations.stop(alice)
  await settled()
  expect(house.phase()).toBe('stopping')
  process.exit({ signal: 'SIGTERM', code: null })
  await settled()
  expect(house.phase()).toBe('asleep')
})

test('L3.16 stopping + a group that does not end: an error is logged, it is killed again, and nothing starts in its place', async () => {
  const house = new Harness()
  const process = await house.ready()
  process.obeys = false
  void house.supervisor.operations.stop(alice)
  house.request()
  await house.clock.advance(19_900)
  expect(process.orders).toEqual(['stop'])
  await house.clock.advance(200)
  expect(process.orders).toEqual(['stop', 'kill'])
  expect(house.lines).toContainEqual(
    expect.objectContaining({ level: 'error', instance: 'notes:alice', message: 'does not end, though it was killed' }),
  )
  await house.clock.advance(minutes(2))
  expect(house.phase()).toBe('stopping')
  expect(house.starts()).toBe(1)
})

test('L3.17 ready + exit with code 0 while unused: asleep, without penalty', async () => {
  const house = new Harness()
  const process = await house.ready()
  process.exit({ code: 0 })
  await settled()
  expect(house.status()).toMatchObject({ phase: 'asleep', nextAttemptAt: null })
  house.request()
  await settled()
  expect(house.phase()).toBe('starting')
  expect(house.status().restarts).toBe(0)
})

test('L3.18 ready + exit with code 0 during a request: a crash', async () => {
  const house = new Harness()
  await house.leased()
  house.process().exit({ code: 0 })
  await settled()
  expect(house.phase()).toBe('backoff')
})

test('L3.18 ready + any other exit: backoff, with the cause recorded', async () => {
  const house = new Harness()
  const lease = await house.leased()
  await house.clock.advance(5_000)
  house.process().exit({ code: null, signal: 'SIGSEGV' })
  await settled()
  expect(house.status()).toMatchObject({
    phase: 'backoff',
    lastStop: 'was killed by SIGSEGV after 5s',
    lastExit: { signal: 'SIGSEGV' },
  })
  expect(lease.endpoint.gone.aborted).toBe(true)
})

test('L3.18 ready + ended by the kernel for want of memory: said so', async () => {
  const house = new Harness()
  const process = await house.ready()
  process.exit({ code: null, signal: 'SIGKILL', outOfMemory: true })
  await settled()
  expect(house.status()).toMatchObject({ phase: 'backoff', lastStop: 'ran out of memory after 100ms' })
})

test('L3.20 backoff + timer with somebody waiting: started again', async () => {
  const house = new Harness()
  house.request()
  await settled()
  house.process().exit({ code: 1 })
  await house.clock.advance(1_000)
  expect(house.phase()).toBe('starting')
  expect(house.status().restarts).toBe(1)
})

test('L3.20 backoff + timer with nobody waiting: asleep, and the crash still counts', async () => {
  const house = new Harness()
  for (const _ of [1, 2, 3, 4]) {
    await house.ready()
    house.process().exit({ code: 1 })
    await house.clock.advance(5_000)
    expect(house.phase()).toBe('asleep')
  }
  await house.ready()
  house.process().exit({ code: 1 })
  await settled()
  expect(house.phase()).toBe('crashlooped')
})

test('L3.20 backoff + timer with nobody waiting, but always to be on: started again', async () => {
  const house = new Harness({ rules: { autostart: true, idleTimeoutMs: undefined } })
  await house.ready()
  house.process().exit({ code: 1 })
  await house.clock.advance(1_000)
  expect(house.starts()).toBe(2)
})

test('L3.21 backoff + request that can still be served in time: held', async () => {
  const house = new Harness()
  await house.ready()
  house.process().exit({ code: 1 })
  await settled()
  const request = house.request()
  await settled()
  expect(house.phase()).toBe('backoff')
  expect(fateOf(request)).toBe('waiting')
  await house.clock.advance(1_000)
  house.process().isListening = true
  await house.clock.advance(100)
  expect(fateOf(request)).toBe('served')
})

test('L3.21 L4 backoff: backoff + request that cannot be served in time: refused with the rest of the wait', async () => {
  const house = new Harness({ holdTimeoutMs: 500 })
  house.chance = 1
  for (const _ of [1, 2, 3, 4]) {
    house.request()
    await settled()
    house.process().exit({ code: 1 })
    await settled()
    if (house.starts() < 4) await house.clock.advance(5_000)
  }
  const request = house.request()
  await settled()
  expect(fateOf(request)).toBe('backoff')
  // The fourth failure in a row: 250 ms doubled three times.
  expect(request.outcome).toMatchObject({ refused: { retryAfterMs: 2_000 } })
})

test('L3.22 backoff + the fifth crash within ten minutes: crashlooped', async () => {
  const house = new Harness()
  await house.crashUntilLeftAlone()
  expect(house.starts()).toBe(5)
  expect(house.phase()).toBe('crashlooped')
})

test('L3.23 crashlooped + request: refused at once, nothing starts', async () => {
  const house = new Harness()
  await house.crashUntilLeftAlone()
  const request = house.request()
  await settled()
  expect(fateOf(request)).toBe('crashloop')
  expect(house.starts()).toBe(5)
})

test('L3.24 crashlooped + half-open time alone: nothing starts, since nobody asks', async () => {
  const house = new Harness()
  await house.crashUntilLeftAlone()
  await house.clock.advance(minutes(30))
  expect(house.starts()).toBe(5)
  expect(house.clock.pending).toBe(0)
})

test('L3.24 crashlooped + half-open time and a request: one try; another crash closes it for twice as long', async () => {
  const house = new Harness()
  await house.crashUntilLeftAlone()
  await house.clock.advance(minutes(5))
  house.request()
  await settled()
  expect(house.starts()).toBe(6)
  house.process().exit({ code: 1 })
  await settled()
  expect(house.phase()).toBe('crashlooped')
  await house.clock.advance(minutes(9))
  const early = house.request()
  await settled()
  expect(fateOf(early)).toBe('crashloop')
  await house.clock.advance(minutes(1))
  house.request()
  await settled()
  expect(house.starts()).toBe(7)
})

test('L3.24 crashlooped + a try that stays ready for a minute: the breaker is closed, here and in the state', async () => {
  const house = new Harness()
  await house.crashUntilLeftAlone()
  await house.clock.advance(minutes(5))
  await house.leased()
  await house.clock.advance(59_000)
  expect(house.state.breakers().size).toBe(1)
  await house.clock.advance(2_000)
  expect(house.state.breakers().size).toBe(0)
  house.process().exit({ code: 1 })
  await settled()
  expect(house.phase()).toBe('backoff')
})

test('L3.30 any phase + disable: stopped, disabled, and requests are refused', async () => {
  const house = new Harness()
  await house.ready()
  expect(await house.supervisor.operations.disable(alice)).toMatchObject({
    phase: 'disabled',
    lastStop: 'disabled by an operator',
  })
  const request = house.request()
  await settled()
  expect(fateOf(request)).toBe('disabled')
  expect(house.state.disabledInstances()).toEqual(['notes:alice'])
})

test('disabled + enable: asleep, and the next request wakes it', async () => {
  const house = new Harness()
  await house.supervisor.operations.disable(alice)
  expect(await house.supervisor.operations.enable(alice)).toMatchObject({ phase: 'asleep' })
  await house.leased()
  expect(house.phase()).toBe('ready')
})

test('disabled + restart of tenement: still disabled', async () => {
  const state = temporaryState()
  await new Harness({ state }).supervisor.operations.disable(alice)
  expect(new Harness({ state }).phase()).toBe('disabled')
})

test('crashlooped + restart of tenement: still crashlooped until the same time', async () => {
  const state = temporaryState()
  const before = new Harness({ state })
  await before.crashUntilLeftAlone()
  await before.clock.advance(minutes(1))
  const after = new Harness({ state, clock: before.clock })
  expect(after.phase()).toBe('crashlooped')
  const early = after.request()
  await settled()
  expect(fateOf(early)).toBe('crashloop')
  await after.clock.advance(minutes(4))
  after.request()
  await settled()
  expect(after.starts()).toBe(1)
})
