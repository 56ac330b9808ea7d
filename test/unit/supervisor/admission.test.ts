import { expect, test } from 'vitest'
import { fateOf, Harness, leaseOf, settled } from './harness.ts'

const ids = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, number) => `${prefix}-${number}`)

test('no more than max_concurrent_wakes instances start at once', async () => {
  const house = new Harness({ maxConcurrentWakes: 3, declared: { notes: ids('t', 10) } })
  for (const id of ids('t', 10)) house.request(`notes:${id}`)
  await settled()
  expect(house.started.length).toBe(3)
})

test('a start that is not ready after two seconds gives its place to the next, and goes on', async () => {
  const house = new Harness({ maxConcurrentWakes: 1 })
  const slow = house.request('notes:alice')
  house.request('notes:bob')
  await house.clock.advance(1_900)
  expect(house.starts('notes:bob')).toBe(0)
  await house.clock.advance(200)
  expect(house.starts('notes:bob')).toBe(1)
  house.process('notes:alice').isListening = true
  await house.clock.advance(100)
  expect(fateOf(slow)).toBe('served')
})

test('a place given back twice, by time and by becoming ready, lets in one, not two', async () => {
  const house = new Harness({ maxConcurrentWakes: 1, declared: { notes: ids('t', 4) } })
  for (const id of ids('t', 4)) house.request(`notes:${id}`)
  await house.clock.advance(2_100)
  expect(house.started.length).toBe(2)
  house.process('notes:t-0').isListening = true
  await house.clock.advance(100)
  expect(house.started.length).toBe(2)
})

test('a burst on five hundred instances of one service does not hold up the instance of another', async () => {
  const house = new Harness({
    maxConcurrentWakes: 1,
    services: { shop: {} },
    declared: { notes: ids('t', 500), shop: ['main'] },
  })
  for (const id of ids('t', 500)) house.request(`notes:${id}`)
  house.request('shop:main')
  await house.clock.advance(4_100)
  expect(house.starts('shop:main')).toBe(1)
  expect(house.started.length).toBeLessThanOrEqual(3)
})

test('a hundred instances that crash at every start do not delay a healthy one', async () => {
  const crashing = ids('t', 100)
  const house = new Harness({
    maxConcurrentWakes: 2,
    services: { shop: {} },
    declared: { notes: crashing, shop: ['main'] },
  })
  for (const id of crashing) house.request(`notes:${id}`)
  const healthy = house.request('shop:main')
  for (let step = 0; fateOf(healthy) === 'waiting' && step < 200; step += 1) {
    await settled()
    for (const { instance, process } of house.started)
      if (instance === 'shop:main') process.isListening = true
      else process.exit({ code: 1 })
    await house.clock.advance(5)
  }
  expect(fateOf(healthy)).toBe('served')
  // Two places, and the services take turns: after at most two of the others it is the healthy one's turn.
  expect(house.started.findIndex(({ instance }) => instance === 'shop:main')).toBeLessThanOrEqual(3)
})

test('max_running stops the instance unused for longest to make room, and no other', async () => {
  const house = new Harness({ maxRunning: 2, declared: { notes: ['alice', 'bob', 'carol'] } })
  await house.ready('notes:alice')
  await house.clock.advance(1_000)
  await house.ready('notes:bob')
  await house.clock.advance(6_000)
  const request = house.request('notes:carol')
  await house.clock.advance(10)
  expect(house.status('notes:alice')).toMatchObject({
    phase: 'asleep',
    lastStop: 'stopped to make room for notes:carol',
  })
  expect(house.phase('notes:bob')).toBe('ready')
  house.process('notes:carol').isListening = true
  await house.clock.advance(100)
  expect(fateOf(request)).toBe('served')
})

test('an instance that serves a request is never stopped to make room', async () => {
  const house = new Harness({ maxRunning: 1 })
  const lease = await house.leased('notes:alice')
  const request = house.request('notes:bob')
  await house.clock.advance(20_000)
  expect(house.process('notes:alice').orders).toEqual([])
  expect(fateOf(request)).toBe('waiting')
  lease.release()
  await house.clock.advance(10)
  expect(house.phase('notes:alice')).toBe('asleep')
  house.process('notes:bob').isListening = true
  await house.clock.advance(100)
  expect(fateOf(request)).toBe('served')
})

test('an instance that was just woken keeps its place for five seconds', async () => {
  const house = new Harness({ maxRunning: 1 })
  await house.ready('notes:alice')
  house.request('notes:bob')
  await house.clock.advance(4_800)
  expect(house.phase('notes:alice')).toBe('ready')
  await house.clock.advance(300)
  expect(house.phase('notes:alice')).toBe('asleep')
  expect(house.starts('notes:bob')).toBe(1)
})

test('one waiting instance costs one other its place, not all of them', async () => {
  const house = new Harness({ maxRunning: 3, declared: { notes: ids('t', 4) } })
  for (const id of ids('t', 3)) await house.ready(`notes:${id}`)
  const lease = await house.leased('notes:t-2')
  await house.clock.advance(6_000)
  for (const { process } of house.started) process.obeys = false
  house.request('notes:t-3')
  await house.clock.advance(1_000)
  // The place is on its way; that another instance is unused now too is no reason to end it.
  lease.release()
  await house.clock.advance(1_000)
  expect(house.started.filter(({ process }) => process.orders.length > 0).length).toBe(1)
})

test('nobody is looked after for whom nobody waits any more', async () => {
  const house = new Harness({ maxRunning: 1, rules: { idleTimeoutMs: undefined } })
  await house.ready('notes:alice')
  const request = house.request('notes:bob')
  await settled()
  request.leave()
  expect(house.clock.pending).toBe(0)
  await house.clock.advance(10_000)
  expect(house.phase('notes:alice')).toBe('ready')
})

test('an evicted instance that is wanted at the last moment stays, and another makes room', async () => {
  const house = new Harness({ maxRunning: 2, declared: { notes: ['alice', 'bob', 'carol'] } })
  await house.ready('notes:alice')
  await house.clock.advance(1_000)
  await house.ready('notes:bob')
  await house.clock.advance(6_000)
  house.request('notes:carol')
  expect(house.phase('notes:alice')).toBe('draining')
  const request = house.request('notes:alice')
  await settled()
  leaseOf(request)
  await house.clock.advance(10)
  expect(house.phase('notes:alice')).toBe('ready')
  expect(house.phase('notes:bob')).toBe('asleep')
  expect(house.starts('notes:carol')).toBe(1)
})

test('an evicted instance that only an operator wakes makes room after all', async () => {
  const house = new Harness({ maxRunning: 1 })
  await house.ready('notes:alice')
  await house.clock.advance(6_000)
  house.request('notes:bob')
  await house.supervisor.operations.wake({ service: 'notes', id: 'alice' })
  await house.clock.advance(10)
  expect(house.starts('notes:bob')).toBe(1)
})

test('what is started with tenement goes through the same places, without anybody asking', async () => {
  const house = new Harness({ rules: { autostart: true }, maxConcurrentWakes: 2, declared: { notes: ids('t', 6) } })
  house.supervisor.autostart()
  await settled()
  expect(house.started.length).toBe(2)
  for (let round = 0; round < 3; round += 1) {
    for (const { process } of house.started) process.isListening = true
    await house.clock.advance(100)
  }
  expect(house.started.length).toBe(6)
})

test('what is started with tenement takes nobody else the place', async () => {
  const house = new Harness({ rules: { autostart: true }, maxRunning: 1 })
  await house.ready('notes:alice')
  await house.clock.advance(10_000)
  house.supervisor.autostart()
  await settled()
  expect(house.phase('notes:alice')).toBe('ready')
  expect(house.phase('notes:bob')).toBe('asleep')
  expect(house.lines).toContainEqual(expect.objectContaining({ level: 'warn', instance: 'notes:bob' }))
})
