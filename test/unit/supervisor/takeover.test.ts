import { expect, test } from 'vitest'
import type { ProcessNote } from '../../../src/supervisor/process.ts'
import { FakeClock } from './fakeClock.ts'
import { fateOf, Harness, nameOf, settled, temporaryState } from './harness.ts'
import { ScriptedProcess } from './scriptedProcess.ts'

const minute = 60_000
const crash = {
  code: 1,
  signal: null,
  outOfMemory: false,
  refusedForks: 0,
  outOfStorage: false,
  endedFor: null,
  lastLines: [],
}

/** A process an earlier server started so many milliseconds ago. */
const left = (clock: FakeClock, note: ProcessNote, agoMs = minute, instance = 'notes:alice') => {
  const process = new ScriptedProcess(900, clock.wallMs() - agoMs)
  return { process, found: { name: nameOf(instance), process, note } }
}

test('L3.32 a ready process keeps running, serves at once, and its idle time begins anew', async () => {
  const clock = new FakeClock()
  const { process, found } = left(clock, { phase: 'ready', readyAtMs: clock.wallMs() - 10 * minute }, 11 * minute)
  const house = new Harness({ clock, adopted: [found] })
  expect(house.status()).toMatchObject({ phase: 'ready', pid: process.pid, uptimeMs: 11 * minute })
  const request = house.request()
  await settled()
  expect(fateOf(request)).toBe('served')
  expect(house.starts()).toBe(0)
  await clock.advance(4 * minute)
  expect(process.orders).toEqual([])
})

test('a process that was starting has the rest of its start_timeout', async () => {
  const clock = new FakeClock()
  const { process, found } = left(clock, { phase: 'starting' }, 50_000)
  const house = new Harness({ clock, adopted: [found] })
  expect(house.phase()).toBe('starting')
  await clock.advance(9_900)
  expect(process.orders).toEqual([])
  await clock.advance(200)
  expect(process.orders).toEqual(['kill'])
})

test('a process that was starting becomes ready and serves who waits', async () => {
  const clock = new FakeClock()
  const { process, found } = left(clock, { phase: 'starting' }, 1_000)
  const house = new Harness({ clock, adopted: [found] })
  const request = house.request()
  process.isListening = true
  await clock.advance(100)
  expect(fateOf(request)).toBe('served')
  expect(process.notes).toEqual([{ phase: 'ready', readyAtMs: expect.any(Number) }])
})

test('a process that was stopping is awaited, and only then another is started', async () => {
  const clock = new FakeClock()
  const { process, found } = left(clock, { phase: 'stopping' })
  process.obeys = false
  const house = new Harness({ clock, adopted: [found] })
  expect(house.phase()).toBe('stopping')
  const request = house.request()
  await clock.advance(1_000)
  expect(house.starts()).toBe(0)
  process.exit({})
  await settled()
  expect(house.starts()).toBe(1)
  expect(fateOf(request)).toBe('waiting')
})

test('L3.29 a process of an instance that is not configured any more is ended', async () => {
  const clock = new FakeClock()
  const { process, found } = left(clock, { phase: 'ready' }, minute, 'notes:carol')
  const house = new Harness({ clock, adopted: [found] })
  expect(process.orders).toEqual(['stop'])
  expect(house.supervisor.operations.list().map(({ instance }) => instance)).toEqual(['notes:alice', 'notes:bob'])
})

test('an instance that is added again while its old process still ends is not started beside it', async () => {
  const clock = new FakeClock()
  const { process, found } = left(clock, { phase: 'ready' }, minute, 'notes:carol')
  process.obeys = false
  const house = new Harness({ clock, adopted: [found] })
  await house.supervisor.operations.add(nameOf('notes:carol'))
  house.request('notes:carol')
  await clock.advance(1_000)
  expect(house.starts('notes:carol')).toBe(0)
  process.exit({})
  await settled()
  expect(house.starts('notes:carol')).toBe(1)
})

test('no data is removed while a process that an earlier server left may still write it', async () => {
  const clock = new FakeClock()
  const { process, found } = left(clock, { phase: 'ready' }, minute, 'notes:carol')
  process.obeys = false
  const house = new Harness({ clock, adopted: [found] })
  await house.supervisor.operations.add(nameOf('notes:carol'))
  const removed = house.supervisor.operations.remove(nameOf('notes:carol'), { purge: true })
  await settled()
  expect(house.purged).toEqual([])
  process.exit({})
  await removed
  expect(house.purged).toEqual(['notes:carol'])
})

test('of two processes of one instance the newer is kept and the older ended', () => {
  const clock = new FakeClock()
  const [older, newer] = [left(clock, { phase: 'ready' }, 2 * minute), left(clock, { phase: 'ready' }, minute)]
  const house = new Harness({ clock, adopted: [older.found, newer.found] })
  expect(older.process.orders).toEqual(['stop'])
  expect(newer.process.orders).toEqual([])
  expect(house.phase()).toBe('ready')
})

test('a process of an instance that was disabled is ended', async () => {
  const clock = new FakeClock()
  const state = temporaryState()
  state.setDisabled('notes:alice', true)
  const { process, found } = left(clock, { phase: 'ready' })
  const house = new Harness({ clock, state, adopted: [found] })
  await settled()
  expect(process.orders).toEqual(['stop'])
  expect(house.phase()).toBe('disabled')
})

test('processes taken over count against max_running', async () => {
  const clock = new FakeClock()
  const { process, found } = left(clock, { phase: 'ready' })
  const house = new Harness({ clock, adopted: [found], maxRunning: 1 })
  house.request('notes:bob')
  await clock.advance(10_000)
  expect(process.orders).toEqual(['stop'])
  expect(house.starts('notes:bob')).toBe(1)
})

test('a process taken over that ends counts like any other', async () => {
  const clock = new FakeClock()
  const { process, found } = left(clock, { phase: 'ready', readyAtMs: clock.wallMs() - minute })
  const house = new Harness({ clock, adopted: [found] })
  process.exit({ code: null, signal: 'SIGSEGV' })
  await settled()
  expect(house.status()).toMatchObject({ phase: 'backoff', lastStop: 'was killed by SIGSEGV after 1m' })
})

test('ends that no server saw count as crashes, clean ones do not', async () => {
  const exits = [1, 2, 3, 4].map(() => ({ name: nameOf('notes:alice'), exit: crash }))
  const house = new Harness({ exits: [...exits, { name: nameOf('notes:bob'), exit: { ...crash, code: 0 } }] })
  expect(house.status()).toMatchObject({
    phase: 'asleep',
    lastStop: 'ended while no tenement was running',
    lastExit: { code: 1 },
  })
  house.request()
  await settled()
  house.process().exit({ code: 1 })
  await settled()
  expect(house.phase()).toBe('crashlooped')
  for (let number = 0; number < 4; number += 1) {
    house.request('notes:bob')
    await settled()
    house.process('notes:bob').exit({ code: 1 })
    await house.clock.advance(5_000)
  }
  expect(house.phase('notes:bob')).not.toBe('crashlooped')
})

test('enough ends that no server saw open the breaker, here and in the state', () => {
  const house = new Harness({ exits: Array(5).fill({ name: nameOf('notes:alice'), exit: crash }) })
  expect(house.phase()).toBe('crashlooped')
  expect(house.state.breakers().has('notes:alice')).toBe(true)
})

test('each change a later server must know of is noted with the process', async () => {
  const house = new Harness()
  const process = await house.ready()
  process.obeys = false
  void house.supervisor.operations.stop(nameOf('notes:alice'))
  await settled()
  expect(process.notes).toEqual([{ phase: 'ready', readyAtMs: expect.any(Number) }, { phase: 'stopping' }])
})
