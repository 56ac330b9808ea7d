import { expect, test } from 'vitest'
import { WakeBook } from '../../../src/supervisor/wakeBook.ts'
import { Harness } from './harness.ts'

const told = (house: Harness): number =>
  house.lines.filter(({ level, message }) => level === 'warn' && message === 'was woken too often within a minute')
    .length

/** Wakes it and lets it sleep again. */
const flap = async (house: Harness, times: number): Promise<void> => {
  for (let time = 0; time < times; time += 1) {
    await house.ready()
    await house.clock.advance(1_000)
  }
}

const rules = { idleTimeoutMs: 500, wakesMax: 5 }

test('an instance that is woken too often in a minute is reported, and sleeps all the same', async () => {
  const house = new Harness({ rules })
  await flap(house, 5)
  expect(told(house)).toBe(0)
  await flap(house, 1)
  expect(told(house)).toBe(1)
  expect(house.phase()).toBe('asleep')
})

test('with flap_guard it is kept awake for ten minutes instead', async () => {
  const house = new Harness({ rules: { ...rules, flapGuard: true } })
  await flap(house, 6)
  expect(house.phase()).toBe('ready')
  await house.clock.advance(598_000)
  expect(house.phase()).toBe('ready')
  await house.clock.advance(3_000)
  expect(house.phase()).toBe('asleep')
  expect(house.starts()).toBe(6)
})

test('wakes far apart are nothing to report', async () => {
  const house = new Harness({ rules: { ...rules, flapGuard: true } })
  for (let time = 0; time < 20; time += 1) {
    await house.ready()
    await house.clock.advance(13_000)
  }
  expect(told(house)).toBe(0)
  expect(house.phase()).toBe('asleep')
})

test('an instance that is kept awake still makes room for another', async () => {
  const house = new Harness({ rules: { ...rules, flapGuard: true }, maxRunning: 1 })
  await flap(house, 6)
  await house.clock.advance(6_000)
  house.request('notes:bob')
  await house.clock.advance(10)
  expect(house.phase('notes:alice')).toBe('asleep')
  expect(house.starts('notes:bob')).toBe(1)
})

test('of how many instances wakes are remembered is bounded, and they are forgotten after a minute', () => {
  const book = new WakeBook()
  for (let number = 0; number < 20_000; number += 1) book.note(`open:${number}`, 1_000, 20)
  expect(book.size).toBe(10_000)
  book.note('open:late', 61_000, 20)
  expect(book.size).toBe(1)
})

test('only what sleeps or is falling asleep counts as asleep', async () => {
  const house = new Harness({ rules: { idleTimeoutMs: 500 } })
  const is = (key = 'notes:alice'): boolean => house.supervisor.isAsleep(key)
  expect(is()).toBe(true)
  const request = house.request()
  expect(is()).toBe(false)
  request.leave()
  const process = await house.ready()
  expect(is()).toBe(false)
  process.obeys = false
  await house.clock.advance(600)
  expect(house.phase()).toBe('stopping')
  expect(is()).toBe(true)
  house.request()
  expect(is()).toBe(false)
  process.exit({ code: 0 })
  await house.supervisor.operations.disable({ service: 'notes', id: 'alice' })
  expect(is()).toBe(false)
})

test('only what is awake already is had at once', async () => {
  const house = new Harness({ rules: { idleTimeoutMs: 500 } })
  const is = (): boolean => house.supervisor.isReady('notes:alice')
  expect(is()).toBe(false)
  house.request().leave()
  expect(is()).toBe(false)
  const process = await house.ready()
  expect(is()).toBe(true)
  process.obeys = false
  await house.clock.advance(600)
  expect(is()).toBe(false)
})

test('an instance that failed, or cannot run here, is not asleep', async () => {
  const house = new Harness({ services: { other: {} }, unrunnable: new Map([['other', 'no']]) })
  await house.crashUntilLeftAlone()
  expect(house.supervisor.isAsleep('notes:alice')).toBe(false)
  expect(house.supervisor.isAsleep('other:main')).toBe(false)
})
