// Rows 25 to 27 of the transition table: an instance that is held still while nobody uses it.
import { expect, test } from 'vitest'
import { FakeClock } from './fakeClock.ts'
import { fateOf, Harness, leaseOf, nameOf, settled, temporaryState } from './harness.ts'
import { ScriptedProcess } from './scriptedProcess.ts'

const minute = 60_000
const rules = { freezeAfterMs: minute, idleTimeoutMs: 10 * minute }

/** Nobody has used it for freeze_after. */
const frozen = async (options: ConstructorParameters<typeof Harness>[0] = {}) => {
  const house = new Harness({ rules, ...options })
  const process = await house.ready()
  await house.clock.advance(minute)
  expect(house.phase()).toBe('frozen')
  return { house, process }
}

test('L3.25 ready + freeze_after without a lease: frozen, with its process, and no signal', async () => {
  const house = new Harness({ rules })
  const process = await house.ready()
  await house.clock.advance(minute - 100)
  expect(house.phase()).toBe('ready')
  expect(process.isFrozen).toBe(false)
  await house.clock.advance(100)
  expect(house.status()).toMatchObject({ phase: 'frozen', pid: process.pid, idleMs: minute })
  expect(process.isFrozen).toBe(true)
  expect(process.orders).toEqual([])
  expect(process.notes.at(-1)).toMatchObject({ phase: 'frozen' })
})

test('that an instance is frozen is noted before it is, so that no later server takes it for ready', async () => {
  const house = new Harness({ rules })
  const process = await house.ready()
  const noted: unknown[] = []
  process.setFrozen = (isFrozen) => {
    noted.push([isFrozen, process.notes.at(-1)?.phase])
    return Promise.resolve(true)
  }
  await house.clock.advance(minute)
  house.request()
  await settled()
  expect(noted).toEqual([
    [true, 'frozen'],
    [false, 'frozen'],
  ])
})

test('L3.25 ready + freeze_after during a request: ready, for as long as that lasts', async () => {
  const house = new Harness({ rules })
  const lease = await house.leased()
  await house.clock.advance(5 * minute)
  expect(house.phase()).toBe('ready')
  lease.release()
  await house.clock.advance(minute)
  expect(house.phase()).toBe('frozen')
})

test('L3.25 ready + freeze_after where the machine cannot freeze: it stays ready, is not tried again, and sleeps when it is idle', async () => {
  const house = new Harness({ rules })
  const process = await house.ready()
  process.canFreeze = false
  await house.clock.advance(minute)
  expect(house.phase()).toBe('ready')
  await house.clock.advance(9 * minute - 200)
  expect(house.phase()).toBe('ready')
  const told = house.lines.filter(({ message }) => message === 'cannot be frozen on this machine, and stays ready')
  expect(told).toEqual([expect.objectContaining({ level: 'warn', instance: 'notes:alice' })])
  await house.clock.advance(300)
  expect(house.phase()).toBe('asleep')
})

test('why tells when it is to be frozen, and when what is frozen is to sleep', async () => {
  const house = new Harness({ rules })
  await house.ready()
  const next = () => house.supervisor.operations.why(nameOf('notes:alice')).next
  expect(next()).toEqual({ step: 'freeze', at: new Date(house.clock.wallMs() + minute).toISOString() })
  await house.clock.advance(minute)
  expect(next()).toEqual({ step: 'sleep', at: new Date(house.clock.wallMs() + 9 * minute).toISOString() })
})

test('L3.26 frozen + request: thawed, asked whether it lives, and served by the same process', async () => {
  const { house, process } = await frozen()
  const request = house.request()
  expect(process.isFrozen).toBe(false)
  await settled()
  expect(fateOf(request)).toBe('served')
  expect(house.status()).toMatchObject({ phase: 'ready', active: 1 })
  expect(house.starts()).toBe(1)
  expect(process.notes.at(-1)).toMatchObject({ phase: 'ready' })
  leaseOf(request).release()
  await house.clock.advance(minute)
  expect(house.phase()).toBe('frozen')
})

test('L3.26 frozen + an operator who wakes it: ready', async () => {
  const { house } = await frozen()
  expect(await house.supervisor.operations.wake(nameOf('notes:alice'))).toMatchObject({ phase: 'ready' })
  expect(house.starts()).toBe(1)
})

test('L3.26 frozen + request, without an answer within a second: killed, started anew, and the request is served by that', async () => {
  const { house, process } = await frozen()
  process.isListening = false
  const request = house.request()
  await house.clock.advance(900)
  expect(house.phase()).toBe('frozen')
  expect(fateOf(request)).toBe('waiting')
  await house.clock.advance(200)
  expect(process.orders).toEqual(['kill'])
  expect(house.starts()).toBe(2)
  house.process().isListening = true
  await house.clock.advance(100)
  expect(fateOf(request)).toBe('served')
  // It did not crash of its own accord.
  expect(house.status()).toMatchObject({
    phase: 'ready',
    restarts: 0,
    lastStop: 'did not go on after it had been frozen',
  })
})

test('L3.26 frozen + request, and the machine cannot thaw it: started anew at once', async () => {
  const { house, process } = await frozen()
  process.canFreeze = false
  house.request()
  await settled()
  expect(process.orders).toEqual(['kill'])
  expect(house.starts()).toBe(2)
})

test('L3.26 frozen + request before it is known that the machine cannot freeze: served by the same process', async () => {
  const house = new Harness({ rules })
  const process = await house.ready()
  let answer = (_: boolean): void => undefined
  process.setFrozen = (isFrozen) =>
    isFrozen
      ? new Promise((resolve) => {
          answer = resolve
        })
      : Promise.resolve(false)
  await house.clock.advance(minute)
  const request = house.request()
  answer(false)
  await house.clock.advance(100)
  expect(fateOf(request)).toBe('served')
  expect({ orders: process.orders, starts: house.starts() }).toEqual({ orders: [], starts: 1 })
})

test('L3.26 frozen + a request whose client leaves before it lives: ready all the same', async () => {
  const { house, process } = await frozen()
  process.isListening = false
  const request = house.request()
  request.leave()
  process.isListening = true
  await house.clock.advance(100)
  expect(house.phase()).toBe('ready')
})

test('L3.26 thawed + exit in order while somebody waits: started again for whoever waits', async () => {
  const { house, process } = await frozen()
  process.isListening = false
  const request = house.request()
  process.exit({ code: 0 })
  await settled()
  expect(house.starts()).toBe(2)
  expect(fateOf(request)).toBe('waiting')
})

test('L3.27 frozen + idle_timeout: asked to stop in order, and asleep', async () => {
  const { house, process } = await frozen()
  await house.clock.advance(9 * minute - 200)
  expect(house.phase()).toBe('frozen')
  await house.clock.advance(300)
  expect(process.orders).toEqual(['stop'])
  expect(house.status()).toMatchObject({ phase: 'asleep', lastStop: 'idle for 10m' })
})

test('L3.27 frozen + want of room: stopped for whoever waits', async () => {
  const { house, process } = await frozen({ maxRunning: 1 })
  house.request('notes:bob')
  await settled()
  expect(process.orders).toEqual(['stop'])
  expect(house.phase('notes:bob')).toBe('starting')
})

test('one that is being thawed for a request makes room for nobody', async () => {
  const { house, process } = await frozen({ maxRunning: 1 })
  process.isListening = false
  const request = house.request()
  house.request('notes:bob')
  await settled()
  expect(process.orders).toEqual([])
  process.isListening = true
  await house.clock.advance(100)
  expect(fateOf(request)).toBe('served')
})

test('frozen + an order to stop, restart or disable: its process is asked to end', async () => {
  for (const order of ['stop', 'restart', 'disable'] as const) {
    const { house, process } = await frozen()
    void house.supervisor.operations[order](nameOf('notes:alice')).catch(() => undefined)
    await settled()
    expect(process.orders).toEqual(['stop'])
  }
})

test('frozen + killed by the machine: a crash, and nothing is started that nobody asks for', async () => {
  const { house, process } = await frozen()
  process.exit({ code: null, signal: 'SIGKILL', outOfMemory: true })
  await settled()
  expect(house.phase()).toBe('backoff')
  await house.clock.advance(minute)
  expect(house.phase()).toBe('asleep')
})

test('a frozen process that an earlier server left stays frozen, and goes on with the next request', async () => {
  const clock = new FakeClock()
  const process = new ScriptedProcess(900, clock.wallMs() - 5 * minute)
  process.isListening = true
  process.isFrozen = true
  const note = { phase: 'frozen', readyAtMs: clock.wallMs() - 4 * minute } as const
  const house = new Harness({
    rules,
    clock,
    state: temporaryState(),
    adopted: [{ name: nameOf('notes:alice'), process, note }],
  })
  expect(house.status()).toMatchObject({ phase: 'frozen', pid: process.pid })
  expect(process.isFrozen).toBe(true)
  const request = house.request()
  await settled()
  expect(fateOf(request)).toBe('served')
  expect(house.starts()).toBe(0)
})

test('freeze_after without idle_timeout: frozen for ever, at the cost of no timer', async () => {
  const house = new Harness({ rules: { freezeAfterMs: minute, idleTimeoutMs: undefined } })
  await house.ready()
  await house.clock.advance(24 * 60 * minute)
  expect(house.phase()).toBe('frozen')
  expect(house.clock.pending).toBe(0)
})
