import { expect, test } from 'vitest'
import {
  afterCrash,
  afterRecovery,
  type CrashRecord,
  closedForMs,
  isForgettable,
  noCrashes,
} from '../../../src/supervisor/crashes.ts'

const minute = 60_000
const crash = (given: Partial<Parameters<typeof afterCrash>[1]> = {}) => ({
  nowMs: 0,
  wallMs: 0,
  readyForMs: 0,
  random: 1,
  ...given,
})

/** Crashes so many times in a row, at the given distance. */
const crashes = (count: number, everyMs: number, readyForMs = 0): CrashRecord => {
  let record = noCrashes
  for (let number = 0; number < count; number += 1)
    record = afterCrash(record, crash({ nowMs: number * everyMs, wallMs: number * everyMs, readyForMs })).record
  return record
}

test('the first crash of an instance that was ready for ten seconds costs no waiting', () => {
  expect(afterCrash(noCrashes, crash({ readyForMs: 10_000 })).waitMs).toBe(0)
  expect(afterCrash(noCrashes, crash({ readyForMs: 9_999 })).waitMs).toBe(250)
})

test('the second crash in a row costs waiting, however long it was ready in between', () => {
  const { record } = afterCrash(noCrashes, crash({ readyForMs: 10_000 }))
  expect(afterCrash(record, crash({ readyForMs: 50_000 })).waitMs).toBe(500)
})

test('the wait doubles from 250 ms and ends at a minute', () => {
  const waits = [0, 1, 2, 3, 20].map((inARow) => afterCrash({ inARow, crashedAtMs: [] }, crash()).waitMs)
  expect(waits).toEqual([250, 500, 1_000, 2_000, minute])
})

test('the wait is any time up to its bound, by chance', () => {
  const waitMs = (random: number) => afterCrash({ inARow: 3, crashedAtMs: [] }, crash({ random })).waitMs
  expect([waitMs(0), waitMs(0.25), waitMs(1)]).toEqual([0, 500, 2_000])
})

test('a minute of being ready makes up for the crashes before', () => {
  const { record, waitMs } = afterCrash({ inARow: 7, crashedAtMs: [] }, crash({ readyForMs: minute }))
  expect(record.inARow).toBe(1)
  expect(waitMs).toBe(0)
})

test('five crashes within ten minutes open the breaker, four do not', () => {
  expect(crashes(4, 1_000).breaker).toBeUndefined()
  expect(crashes(5, 1_000).breaker).toEqual({ opens: 1, halfOpenAtMs: 4_000 + 5 * minute })
})

test('crashes more than ten minutes apart never open the breaker', () => {
  expect(crashes(50, 2.6 * minute).breaker).toBeUndefined()
  expect(crashes(5, 2.4 * minute).breaker).toBeDefined()
})

test('each crash of a half-open breaker doubles its time, up to an hour', () => {
  let record = crashes(5, 1_000)
  const times = [closedForMs(record.breaker ?? { opens: 0, halfOpenAtMs: 0 }, 4_000)]
  for (let number = 0; number < 5; number += 1) {
    record = afterCrash(record, crash({ wallMs: 0 })).record
    times.push(record.breaker?.halfOpenAtMs ?? 0)
  }
  expect(times.map((ms) => ms / minute)).toEqual([5, 10, 20, 40, 60, 60])
})

test('an instance that recovered from an open breaker starts anew', () => {
  expect(afterRecovery(crashes(5, 1_000))).toEqual(noCrashes)
  const { record } = afterCrash(crashes(5, 1_000), crash({ readyForMs: minute, nowMs: 10_000 }))
  expect(record.breaker).toBeUndefined()
})

test('a clock set back by a year does not keep the breaker closed for a year', () => {
  const year = 365 * 24 * 60 * minute
  expect(closedForMs({ opens: 1, halfOpenAtMs: year }, 0)).toBe(5 * minute)
})

test('crashes are worth remembering for ten minutes, an open breaker always', () => {
  expect(isForgettable(crashes(1, 0), 9 * minute)).toBe(false)
  expect(isForgettable(crashes(1, 0), 10 * minute)).toBe(true)
  expect(isForgettable(crashes(5, 0), 100 * minute)).toBe(false)
})
