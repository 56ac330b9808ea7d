import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { fateOf, Harness, leaseOf, type Request, settled } from './harness.ts'

test('ten requests arriving together cause one launch', async () => {
  const house = new Harness()
  const requests = Array.from({ length: 10 }, () => house.request())
  await settled()
  house.process().isListening = true
  await house.clock.advance(100)
  expect(requests.map(fateOf)).toEqual(Array(10).fill('served'))
  expect(house.starts()).toBe(1)
  expect(new Set(requests.map((request) => leaseOf(request).endpoint)).size).toBe(1)
})

test('a waiter that leaves changes nothing for the others', async () => {
  const house = new Harness()
  const [one, other] = [house.request(), house.request()]
  await settled()
  one.leave()
  await settled()
  expect(fateOf(one)).toBe('waking')
  house.process().isListening = true
  await house.clock.advance(100)
  expect(fateOf(other)).toBe('served')
  expect(house.status().active).toBe(1)
})

test('a client that has left before it asks starts nothing', async () => {
  const house = new Harness()
  const gone = AbortSignal.abort()
  await expect(house.supervisor.wake('notes:alice', { gone, arrivedAtMs: 0 })).rejects.toMatchObject({
    reason: 'waking',
  })
  expect(house.phase()).toBe('asleep')
})

test('L4 hold deadline: a request waits for hold_timeout from its arrival, and the wake goes on without it', async () => {
  const house = new Harness()
  const late = house.request('notes:alice', house.clock.wallMs() - 20_000)
  await house.clock.advance(9_900)
  expect(fateOf(late)).toBe('waiting')
  await house.clock.advance(200)
  expect(fateOf(late)).toBe('waking')
  expect(house.phase()).toBe('starting')
})

test('hold_timeout = 0 holds nobody, and the instance wakes all the same', async () => {
  const house = new Harness({ holdTimeoutMs: 0 })
  const request = house.request()
  await house.clock.advance(1)
  expect(fateOf(request)).toBe('waking')
  house.process().isListening = true
  await house.clock.advance(100)
  expect(house.phase()).toBe('ready')
})

test('a clock that was set does not stretch the hold time', async () => {
  const house = new Harness()
  const request = house.request('notes:alice', house.clock.wallMs() + 3_600_000)
  await house.clock.advance(30_100)
  expect(fateOf(request)).toBe('waking')
})

test('a client that waited in vain is told how long the rest usually takes', async () => {
  const house = new Harness({ holdTimeoutMs: 2_000, rules: { idleTimeoutMs: 1_000 } })
  const first = house.request()
  await house.clock.advance(10_000)
  expect(fateOf(first)).toBe('waking')
  house.process().isListening = true
  await house.clock.advance(5_000)
  expect(house.phase()).toBe('asleep')
  const second = house.request()
  await house.clock.advance(2_100)
  // It took ten seconds the last time, and two are over.
  expect(second.outcome).toMatchObject({ refused: { reason: 'waking', retryAfterMs: expect.closeTo(8_000, -2) } })
})

test('a client is told the time in which nine of ten wakes are over, not the usual one', async () => {
  const house = new Harness({ holdTimeoutMs: 1, rules: { idleTimeoutMs: 1_000 } })
  const wakeIn = async (ms: number): Promise<number> => {
    const request = house.request()
    await house.clock.advance(ms)
    house.process().isListening = true
    await house.clock.advance(5_000)
    return request.outcome !== undefined && 'refused' in request.outcome
      ? (request.outcome.refused.retryAfterMs ?? Number.NaN)
      : Number.NaN
  }
  for (const ms of [1_000, 9_000, 1_000, 9_000]) await wakeIn(ms)
  expect(await wakeIn(1_000)).toBeGreaterThan(9_000)
})

test('an instance never seen waking is told about by the others of its service', async () => {
  const house = new Harness({ holdTimeoutMs: 2_000 })
  house.request('notes:alice')
  await house.clock.advance(10_000)
  house.process('notes:alice').isListening = true
  await house.clock.advance(100)
  const request = house.request('notes:bob')
  await house.clock.advance(2_100)
  expect(request.outcome).toMatchObject({ refused: { reason: 'waking', retryAfterMs: expect.closeTo(8_000, -2) } })
})

test('a client whose instance waits for its turn is told of the turns before it', async () => {
  const ids = ['first', 'second', 'third', 'fourth']
  const house = new Harness({ maxConcurrentWakes: 1, holdTimeoutMs: 100, declared: { notes: ids } })
  house.supervisor.operations.wake({ service: 'notes', id: 'first' }).catch(() => undefined)
  for (const id of ['second', 'third'])
    house.supervisor.operations.wake({ service: 'notes', id }).catch(() => undefined)
  const request = house.request('notes:fourth')
  await house.clock.advance(200)
  // Three starts of a second each before its own, as long as nothing was seen of how long they take.
  expect(request.outcome).toMatchObject({ refused: { reason: 'waking', retryAfterMs: 4_000 } })
})

test('those for whom there is no place are told different times, from one second to five', async () => {
  const chances = [0, 0.25, 0.5, 0.75, 1]
  let asked = 0
  const house = new Harness({ rules: { queueMax: 1 }, random: () => chances[asked++ % chances.length] ?? 0 })
  house.request()
  await house.clock.advance(20_000)
  house.process().isListening = true
  await house.clock.advance(100)
  house.request('notes:bob')
  const refused = chances.map(() => house.request('notes:bob'))
  await settled()
  const times = refused.map(({ outcome }) =>
    outcome !== undefined && 'refused' in outcome ? outcome.refused.retryAfterMs : undefined,
  )
  expect(times.sort()).toEqual([1_000, 2_000, 3_000, 4_000, 5_000])
})

test('L4 queue full: more requests than queue_max before one sleeping instance are refused, and others are not', async () => {
  const house = new Harness({ rules: { queueMax: 3 } })
  const requests = Array.from({ length: 4 }, () => house.request('notes:alice'))
  const other = house.request('notes:bob')
  await settled()
  expect(requests.map(fateOf)).toEqual(['waiting', 'waiting', 'waiting', 'queue_full'])
  expect(fateOf(other)).toBe('waiting')
  requests[0]?.leave()
  const next = house.request('notes:alice')
  await settled()
  expect(fateOf(next)).toBe('waiting')
})

test('L4 all queues full: more than ten thousand waiting requests in all are refused', async () => {
  const ids = Array.from({ length: 11 }, (_, number) => `tenant-${number}`)
  const house = new Harness({ rules: { queueMax: 1_000 }, declared: { notes: ids } })
  const requests = ids.flatMap((id) => Array.from({ length: 1_000 }, () => house.request(`notes:${id}`)))
  await settled()
  const fates = requests.map(fateOf)
  expect(fates.filter((fate) => fate === 'waiting').length).toBe(10_000)
  expect(fates.filter((fate) => fate === 'queue_full').length).toBe(1_000)
  for (const request of requests.slice(0, 5_000)) request.leave()
  const next = house.request('notes:tenant-10')
  await settled()
  expect(fateOf(next)).toBe('waiting')
})

/** Ten thousand requests of one client, before ten instances: all the places there are. */
const flood = (house: Harness): Request[] =>
  Array.from({ length: 10 }, (_, number) =>
    Array.from({ length: 1_000 }, () => house.request(`notes:tenant-${number}`, undefined, { countedAs: 'flood' })),
  ).flat()

const flooded = { rules: { queueMax: 1_001, open: true }, maxConcurrentWakes: 1, declared: { notes: [] } }

test('a client that fills all places gives one up to another, and its newest request is refused for it', async () => {
  const house = new Harness(flooded)
  const requests = flood(house)
  const other = house.request('notes:alice', undefined, { countedAs: 'other' })
  const more = house.request('notes:tenant-0', undefined, { countedAs: 'flood' })
  await settled()
  expect(fateOf(other)).toBe('waiting')
  expect(fateOf(more)).toBe('queue_full')
  expect(requests.map(fateOf).filter((fate) => fate === 'queue_full')).toHaveLength(1)
  expect(requests.at(-1)?.outcome).toMatchObject({
    refused: { reason: 'queue_full', retryAfterMs: expect.any(Number) },
  })
  const operator = house.supervisor.operations.wake({ service: 'notes', id: 'bob' })
  operator.catch(() => undefined)
  await settled()
  expect(house.phase('notes:bob')).toBe('queued')
  expect(requests.map(fateOf).filter((fate) => fate === 'queue_full')).toHaveLength(1)
})

test('an instance that only a request wanted which lost its place falls asleep, and who took the place is served', async () => {
  const house = new Harness(flooded)
  const requests = flood(house)
  requests.at(-1)?.leave()
  const alone = house.request('notes:alone', undefined, { countedAs: 'flood' })
  await settled()
  expect(house.phase('notes:alone')).toBe('queued')
  const other = house.request('notes:alice', undefined, { countedAs: 'other' })
  await settled()
  expect(fateOf(alone)).toBe('queue_full')
  expect(house.supervisor.isAsleep('notes:alone')).toBe(true)
  for (const request of requests) request.leave()
  await house.clock.advance(2_100)
  house.process('notes:alice').isListening = true
  await house.clock.advance(100)
  expect(fateOf(other)).toBe('served')
})

test('one who takes the place of the only other request for the same instance is served', async () => {
  const house = new Harness(flooded)
  const requests = flood(house)
  requests.at(-1)?.leave()
  const first = house.request('notes:alice', undefined, { countedAs: 'flood' })
  const second = house.request('notes:alice', undefined, { countedAs: 'other' })
  await settled()
  expect([first, second].map(fateOf)).toEqual(['queue_full', 'waiting'])
  for (const request of requests) request.leave()
  await house.clock.advance(2_100)
  house.process('notes:alice').isListening = true
  await house.clock.advance(100)
  expect(fateOf(second)).toBe('served')
  expect(house.starts('notes:alice')).toBe(1)
})

test('a request that comes when its instance is ready is served at once, whatever its hold time', async () => {
  const house = new Harness({ holdTimeoutMs: 10 })
  await house.ready()
  const request = house.request('notes:alice', house.clock.wallMs() - 60_000)
  await settled()
  expect(fateOf(request)).toBe('served')
})

test('a waiter is served by the second try when the first fails and there is time', async () => {
  const house = new Harness()
  const request = house.request()
  await settled()
  house.process().exit({ code: 1 })
  await house.clock.advance(1_000)
  house.process().isListening = true
  await house.clock.advance(100)
  expect(fateOf(request)).toBe('served')
})

test('waiting leaves no timer behind, whether served, refused or left', async () => {
  const house = new Harness({ rules: { idleTimeoutMs: undefined } })
  const [served, left] = [house.request(), house.request()]
  await settled()
  left.leave()
  house.process().isListening = true
  await house.clock.advance(100)
  leaseOf(served).release()
  expect(house.clock.pending).toBe(0)
  await house.supervisor.operations.disable({ service: 'notes', id: 'alice' })
  house.request()
  expect(house.clock.pending).toBe(0)
})

test('waiting leaves nothing on the signal of the client, who may send many requests on one connection', async () => {
  const house = new Harness()
  const gone = new AbortController()
  const lease = house.supervisor.wake('notes:alice', { gone: gone.signal, arrivedAtMs: house.clock.wallMs() })
  await settled()
  house.process().isListening = true
  await house.clock.advance(100)
  await lease
  expect(getEventListeners(gone.signal, 'abort')).toEqual([])
})

test('a launch that never comes to be fails the request, and one that hangs is ended when it comes late', async () => {
  const failing = new Harness({ holdTimeoutMs: 100, launch: () => Promise.reject(new Error('no such program')) })
  const refused = failing.request()
  await settled()
  expect(fateOf(refused)).toBe('start_failed')
  expect(failing.status()).toMatchObject({
    phase: 'backoff',
    lastStop: 'could not be started: no such program',
    pid: null,
  })

  let arrive = (): void => undefined
  const hanging = new Harness({
    rules: { startTimeoutMs: 5_000 },
    launch: (_, make) =>
      new Promise((resolve) => {
        arrive = () => resolve(make())
      }),
  })
  const waiting = hanging.request()
  await hanging.clock.advance(6_000)
  expect(hanging.phase()).toBe('stopping')
  await hanging.clock.advance(25_000)
  expect(fateOf(waiting)).toBe('waking')
  arrive()
  await settled()
  expect(hanging.process().orders).toContain('kill')
  expect(hanging.alive()).toBe(0)
})
