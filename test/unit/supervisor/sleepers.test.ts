// What a sleeping instance costs. The first lives of some warm up all that is made once, so that only what each keeps is counted.
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { collectGarbage } from '../../helpers/collectGarbage.ts'
import { Harness, settled } from './harness.ts'

/**
 * Bytes, the least of several looks. What the running turn made is taken only after its end: measured within it, as much as a tenth
 * too many. And the compiler, in a thread of its own, holds up to 200 kB for the moment in which it is at work.
 */
const usedHeap = async (): Promise<number> => {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < 8; round += 1) {
    await turn()
    collectGarbage()
    least = Math.min(least, process.memoryUsage().heapUsed)
  }
  return least
}

const count = 2_000
const idsOf = (prefix: string): string[] => Array.from({ length: count }, (_, number) => `${prefix}-${number}`)
const [first, second] = [idsOf('a'), idsOf('b')]

const houseOfMany = (): Harness =>
  new Harness({
    declared: { notes: [...first, ...second] },
    maxConcurrentWakes: count,
    rules: { idleTimeoutMs: 60_000 },
  })

/** Wakes each through a request of a browser's, and lets all fall asleep again; the test itself keeps nothing of it. */
const wakeAll = async (house: Harness, ids: readonly string[]): Promise<void> => {
  for (const id of ids) {
    const caller = { method: 'GET', host: `${id}.notes.example.com`, client: 'browser' } as const
    void house
      .request(`notes:${id}`, house.clock.wallMs(), { caller })
      .settled.then((outcome) => 'lease' in outcome && outcome.lease.release())
  }
  await settled()
  for (const { process } of house.started) process.isListening = true
  await house.clock.advance(200)
  await house.clock.advance(61_000)
  for (const { process } of house.started) process.exit({ code: 0 })
  await settled()
  house.started.splice(0)
  house.lines.splice(0)
}

test('an instance that was woken once and sleeps again costs at most a kilobyte and a half of heap', async () => {
  const house = houseOfMany()
  await wakeAll(house, first)
  const before = await usedHeap()
  await wakeAll(house, second)
  const each = ((await usedHeap()) - before) / count
  const why = house.why(`notes:${second[7]}`)
  expect(why).toMatchObject({ phase: 'asleep', woken: { request: { client: 'browser' } }, stopped: { cause: 'idle' } })
  expect(each).toBeGreaterThan(0)
  expect(each).toBeLessThan(1_536)
})

test('counting who is in which phase costs no memory for each that sleeps', async () => {
  const house = houseOfMany()
  await wakeAll(house, first)
  house.supervisor.census()
  const before = await usedHeap()
  await wakeAll(house, second)
  const slept = await usedHeap()
  const { phases } = house.supervisor.census().get('notes') ?? {}
  expect(phases?.get('asleep')).toBe(2 * count)
  expect(((await usedHeap()) - slept) / (slept - before)).toBeLessThan(0.1)
})
