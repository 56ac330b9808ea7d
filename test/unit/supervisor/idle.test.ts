import { expect, test } from 'vitest'
import { createIdleWatch, type Idler, type IdleWatch } from '../../../src/supervisor/idle.ts'
import { FakeClock } from './fakeClock.ts'
import { Harness, settled } from './harness.ts'

const minute = 60_000

class Sleeper implements Idler {
  readonly sleptAtMs: number[] = []
  /** How often it was asked; each costs something. */
  asked = 0
  usedAtMs = 0
  isUsed = false
  readonly #watch: IdleWatch
  readonly #timeoutMs: number

  constructor(watch: IdleWatch, timeoutMs: number) {
    this.#watch = watch
    this.#timeoutMs = timeoutMs
    this.usedAtMs = watch.nowMs()
    watch.watch(this)
  }

  idleAtMs(nowMs: number): number {
    this.asked += 1
    return (this.isUsed ? nowMs : this.usedAtMs) + this.#timeoutMs
  }

  sleep(): void {
    this.sleptAtMs.push(this.#watch.nowMs())
  }
}

const watched = () => {
  const clock = new FakeClock()
  const watch = createIdleWatch(clock)
  return { clock, watch, startMs: clock.nowMs() }
}

test('a thousand instances are watched by one timer, and by none when all sleep', async () => {
  const { clock, watch } = watched()
  const sleepers = Array.from({ length: 1_000 }, (_, number) => new Sleeper(watch, minute + number))
  expect(clock.pending).toBe(1)
  await clock.advance(2 * minute)
  expect(sleepers.every(({ sleptAtMs }) => sleptAtMs.length === 1)).toBe(true)
  expect(clock.pending).toBe(0)
})

test('an instance sleeps once its own timeout has passed, not with the first of the others', async () => {
  const { clock, watch, startMs } = watched()
  const [quick, slow] = [new Sleeper(watch, minute), new Sleeper(watch, 3 * minute)]
  await clock.advance(4 * minute)
  expect(quick.sleptAtMs).toEqual([startMs + minute])
  expect(slow.sleptAtMs).toEqual([startMs + 3 * minute])
})

test('use moves the deadline without touching a timer', async () => {
  const { clock, watch, startMs } = watched()
  const sleeper = new Sleeper(watch, minute)
  for (let second = 0; second < 50; second += 1) {
    await clock.advance(1_000)
    sleeper.usedAtMs = watch.nowMs()
  }
  await clock.advance(2 * minute)
  expect(sleeper.sleptAtMs).toEqual([startMs + 50_000 + minute])
  expect(sleeper.asked).toBeLessThan(5)
})

test('an instance in use never sleeps, however long that lasts', async () => {
  const { clock, watch } = watched()
  const sleeper = new Sleeper(watch, minute)
  sleeper.isUsed = true
  await clock.advance(100 * minute)
  expect(sleeper.sleptAtMs).toEqual([])
})

test('one that is not watched any more is not put to sleep', async () => {
  const { clock, watch } = watched()
  const sleeper = new Sleeper(watch, minute)
  watch.unwatch(sleeper)
  expect(clock.pending).toBe(0)
  await clock.advance(2 * minute)
  expect(sleeper.sleptAtMs).toEqual([])
})

test('a suspended machine puts nobody to sleep when it goes on: deadlines move by the time that was lost', async () => {
  const { clock, watch } = watched()
  const sleeper = new Sleeper(watch, 5 * minute)
  await clock.advance(minute)
  clock.suspend(60 * minute)
  await clock.advance(3 * minute)
  expect(sleeper.sleptAtMs).toEqual([])
  await clock.advance(2 * minute)
  expect(sleeper.sleptAtMs.length).toBe(1)
})

test('a clock set by an administrator puts nobody to sleep', async () => {
  const house = new Harness()
  await house.ready()
  house.clock.setWall(24 * 60 * minute)
  await house.clock.advance(minute)
  expect(house.phase()).toBe('ready')
})

test('an instance with an open lease is not stopped as idle, and its idle time begins when the last lease ends', async () => {
  const house = new Harness()
  const [one, other] = [await house.leased(), await house.leased()]
  await house.clock.advance(20 * minute)
  one.release()
  await house.clock.advance(20 * minute)
  expect(house.status()).toMatchObject({ phase: 'ready', active: 1, idleMs: null })
  other.release()
  await house.clock.advance(4 * minute)
  expect(house.status()).toMatchObject({ phase: 'ready', idleMs: 4 * minute })
  await house.clock.advance(minute)
  expect(house.phase()).toBe('asleep')
})

test('releasing a lease twice counts once', async () => {
  const house = new Harness()
  const [one, other] = [await house.leased(), await house.leased()]
  one.release()
  one.release()
  expect(house.status().active).toBe(1)
  await house.clock.advance(20 * minute)
  expect(house.phase()).toBe('ready')
  other.release()
  expect(house.status().active).toBe(0)
})

test('idle_timeout = "never" keeps an instance awake, at the cost of no timer', async () => {
  const house = new Harness({ rules: { idleTimeoutMs: undefined } })
  await house.ready()
  expect(house.clock.pending).toBe(0)
  await house.clock.advance(1_000 * minute)
  expect(house.phase()).toBe('ready')
})

test('a lease on a process that is gone says nothing about the one that runs now', async () => {
  const house = new Harness()
  const old = await house.leased()
  house.process().exit({ code: 1 })
  await settled()
  await house.clock.advance(1_000)
  const lease = await house.leased()
  void house.supervisor.operations.stop({ service: 'notes', id: 'alice' })
  old.release()
  await settled()
  expect(house.status()).toMatchObject({ phase: 'draining', active: 1 })
  expect(lease.endpoint.gone.aborted).toBe(false)
})
