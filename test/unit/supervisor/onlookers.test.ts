// Who looks on while an instance wakes: pages in browsers, whose requests wait no longer.
import { expect, test } from 'vitest'
import { wishMs } from '../../../src/supervisor/wish.ts'
import { fateOf, Harness, nameOf, settled } from './harness.ts'

const bob = 'notes:bob'

/** One place to start, and alice has it; bob is queued, and his request becomes a page. */
const withPageForBob = async (options = {}): Promise<Harness> => {
  const house = new Harness({ maxRunning: 1, ...options })
  await house.leased('notes:alice')
  turn(house, bob)
  await settled()
  return house
}

/** What the router does when it shows a page. */
const turn = (house: Harness, instance: string): void => {
  const request = house.request(instance)
  house.supervisor.onlookers.wish(instance)
  request.leave()
}

/** Looks once a second, as pages do in one way or another. */
const lookOn = async (house: Harness, instance: string, seconds: number): Promise<void> => {
  for (let second = 0; second < seconds; second += 1) {
    house.supervisor.onlookers.look(instance)
    await house.clock.advance(1_000)
  }
}

test('a wake that waits for its turn is not dropped when its last waiter is shown a page', async () => {
  const house = await withPageForBob()
  expect(house.phase(bob)).toBe('queued')
  await house.clock.advance(wishMs - 1)
  expect(house.phase(bob)).toBe('queued')
})

test('a wake that waits for its turn is dropped when nobody looks at the page any more', async () => {
  const house = await withPageForBob()
  await house.clock.advance(wishMs)
  expect(house.phase(bob)).toBe('asleep')
  expect(house.starts(bob)).toBe(0)
})

test('a wake that waits for its turn waits as long as a page is looked at, beyond hold_timeout too', async () => {
  const house = await withPageForBob()
  await lookOn(house, bob, 120)
  expect(house.phase(bob)).toBe('queued')
  await house.clock.advance(wishMs)
  expect(house.phase(bob)).toBe('asleep')
})

test('an instance that was shown as a page starts as soon as another may be stopped for it', async () => {
  const house = await withPageForBob()
  void house.supervisor.operations.stop({ service: 'notes', id: 'alice' })
  await lookOn(house, bob, 31)
  house.process('notes:alice').exit({ code: 0 })
  await settled()
  expect(house.phase(bob)).toBe('starting')
})

test('a page asks for room as a waiting request does: an idle instance is stopped for it', async () => {
  const house = new Harness({ maxRunning: 1 })
  const lease = await house.leased('notes:alice')
  turn(house, bob)
  lease.release()
  await lookOn(house, bob, 6)
  house.process('notes:alice').exit({ code: 0 })
  await settled()
  expect(house.phase(bob)).toBe('starting')
})

test('looking wakes nobody, remembers nobody, and keeps nobody in the queue for whom there was no page', async () => {
  const house = new Harness({ maxConcurrentWakes: 1, services: { pages: { open: true } } })
  for (const name of ['notes:alice', 'pages:stranger', 'pages:other', 'nothing:at-all'])
    expect(house.supervisor.onlookers.look(name)).toEqual({ state: 'done' })
  expect(house.supervisor.operations.list().map(({ instance }) => instance)).toEqual(['notes:alice', 'notes:bob'])
  house.request('notes:alice')
  const request = house.request(bob)
  await settled()
  expect(house.supervisor.onlookers.look(bob)).toEqual({ state: 'queued', ahead: 0 })
  request.leave()
  expect(house.phase(bob)).toBe('asleep')
})

test('a wish is made only by one who waits', async () => {
  const house = new Harness()
  house.supervisor.onlookers.wish('notes:alice')
  await settled()
  expect(house.phase()).toBe('asleep')
  expect(house.clock.pending).toBe(0)
})

test('looking keeps nobody awake: a wish ends with the wake', async () => {
  const house = new Harness({ rules: { idleTimeoutMs: 5_000 } })
  turn(house, 'notes:alice')
  await settled()
  house.process().isListening = true
  await lookOn(house, 'notes:alice', 7)
  house.process().exit({ code: 0 })
  await lookOn(house, 'notes:alice', 1)
  expect(house.phase()).toBe('asleep')
  expect(house.starts()).toBe(1)
  expect(house.clock.pending).toBe(0)
})

test('an instance with a page is tried again after a failed start, until it is left alone; then the wish is over', async () => {
  const house = new Harness()
  turn(house, 'notes:alice')
  await settled()
  house.process().exit({ code: 1 })
  await settled()
  expect(house.supervisor.onlookers.look('notes:alice')).toEqual({ state: 'backoff', retryInMs: expect.any(Number) })
  await lookOn(house, 'notes:alice', 2)
  expect(house.starts()).toBe(2)
  for (let tries = 0; tries < 10 && house.phase() !== 'crashlooped'; tries += 1) {
    if (house.phase() === 'starting') house.process().exit({ code: 1 })
    await lookOn(house, 'notes:alice', 5)
  }
  expect(house.supervisor.onlookers.look('notes:alice')).toEqual({ state: 'failed' })
  const starts = house.starts()
  await lookOn(house, 'notes:alice', 600)
  expect(house.starts()).toBe(starts)
})

test('onlookers are told of a wake, and of nothing else', async () => {
  const house = new Harness()
  const look = () => house.supervisor.onlookers.look('notes:alice')
  const request = house.request()
  await house.clock.advance(700)
  expect(look()).toEqual({ state: 'starting', forMs: 700 })
  house.process().isListening = true
  await house.clock.advance(100)
  expect(fateOf(request)).toBe('served')
  expect(look()).toEqual({ state: 'done' })
  void house.supervisor.operations.disable({ service: 'notes', id: 'alice' })
  expect(look()).toEqual({ state: 'done' })
})

test('an instance that ends and is awaited is shown as one that waits for its turn', async () => {
  const house = new Harness()
  await house.ready()
  const restarted = house.supervisor.operations.restart({ service: 'notes', id: 'alice' })
  house.request()
  expect(house.phase()).toBe('stopping')
  expect(house.supervisor.onlookers.look('notes:alice')).toEqual({ state: 'queued', ahead: undefined })
  house.process().exit({ code: 0 })
  await settled()
  house.process().isListening = true
  await house.clock.advance(100)
  await restarted
})

test('an operator who stops an instance ends the wish for it', async () => {
  const house = await withPageForBob()
  await house.supervisor.operations.stop({ service: 'notes', id: 'bob' })
  await lookOn(house, bob, 3)
  expect(house.phase(bob)).toBe('asleep')
})

test('a page of a paused instance waits for the end of the pause', async () => {
  const house = new Harness()
  await house.supervisor.operations.pause({ service: 'notes', id: 'alice' })
  turn(house, 'notes:alice')
  await lookOn(house, 'notes:alice', 60)
  expect(house.supervisor.onlookers.look('notes:alice')).toEqual({ state: 'paused' })
  await house.supervisor.operations.resume({ service: 'notes', id: 'alice' })
  await settled()
  expect(house.phase()).toBe('starting')
})

test('what starts for a page is said to come from the request that was shown it', async () => {
  const house = await withPageForBob()
  void house.supervisor.operations.stop({ service: 'notes', id: 'alice' })
  await lookOn(house, bob, 31)
  house.process('notes:alice').exit({ code: 0 })
  await settled()
  expect(house.why(bob).woken).toMatchObject({ by: 'request' })
})

test('the place in the queue counts who starts before, in turn between services', async () => {
  const house = new Harness({
    maxConcurrentWakes: 1,
    declared: { notes: ['alice', 'bob', 'carol', 'dora'], pages: ['one', 'two'] },
    services: { pages: {} },
  })
  for (const name of ['notes:alice', 'notes:bob', 'notes:carol', 'notes:dora', 'pages:one', 'pages:two'])
    house.request(name)
  await settled()
  const ahead = (name: string) => house.supervisor.onlookers.look(name)
  expect(ahead('notes:bob')).toEqual({ state: 'queued', ahead: 0 })
  expect(ahead('pages:one')).toEqual({ state: 'queued', ahead: 1 })
  expect(ahead('notes:carol')).toEqual({ state: 'queued', ahead: 2 })
  expect(ahead('pages:two')).toEqual({ state: 'queued', ahead: 3 })
  expect(ahead('notes:dora')).toEqual({ state: 'queued', ahead: 4 })
})

test('a place too far behind is not counted', async () => {
  const ids = Array.from({ length: 120 }, (_, number) => `tenant-${number}`)
  const house = new Harness({ maxConcurrentWakes: 1, declared: { notes: ids } })
  for (const id of ids) house.request(`notes:${id}`)
  await settled()
  expect(house.supervisor.onlookers.look('notes:tenant-100')).toEqual({ state: 'queued', ahead: 99 })
  expect(house.supervisor.onlookers.look('notes:tenant-101')).toEqual({ state: 'queued', ahead: undefined })
})

test('whoever looks at a paused instance sees that, and one who was shown a page gets the instance when it is resumed', async () => {
  const house = new Harness()
  await house.supervisor.operations.pause(nameOf(bob))
  turn(house, bob)
  await lookOn(house, bob, 60)
  expect([house.supervisor.onlookers.look(bob), house.starts(bob)]).toEqual([{ state: 'paused' }, 0])
  await house.supervisor.operations.resume(nameOf(bob))
  await settled()
  expect(house.phase(bob)).toBe('starting')
})
