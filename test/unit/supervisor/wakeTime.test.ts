import { expect, test } from 'vitest'
import { expectedMs, longMs, longRestMs, nextWakeTimes, type WakeTimes } from '../../../src/supervisor/wakeTime.ts'

const seen = (...wakesMs: number[]): WakeTimes | undefined => {
  let times: WakeTimes | undefined
  for (const wakeMs of wakesMs) times = nextWakeTimes(times, wakeMs)
  return times
}

test('the typical wake follows the newest ones, and one slow wake does not decide', () => {
  expect(expectedMs(seen(200))).toBe(200)
  expect(expectedMs(seen(200, 1_200))).toBe(500)
  expect(expectedMs(seen(200, ...Array(20).fill(1_000)))).toBeCloseTo(1_000, -1)
})

test('nine in ten wakes are over in the time that clients are told', () => {
  let seed = 1
  // Between one and three seconds, the same each time this runs (the generator of Park and Miller).
  const wakesMs = Array.from({ length: 2_000 }, () => {
    seed = (seed * 48_271) % 2_147_483_647
    return 1_000 + (2_000 * seed) / 2_147_483_647
  })
  let times: WakeTimes | undefined
  let within = 0
  for (const wakeMs of wakesMs) {
    if (wakeMs <= longMs(times)) within += 1
    times = nextWakeTimes(times, wakeMs)
  }
  expect(within / wakesMs.length).toBeGreaterThan(0.8)
  expect(within / wakesMs.length).toBeLessThan(0.98)
})

test('wakes that take the same time each are not told as longer', () => {
  expect(longMs(seen(5_000, 5_000, 5_000))).toBe(5_000)
})

test('the rest is what is usual less what has passed', () => {
  expect(longRestMs(seen(5_000), 2_000)).toBe(3_000)
  expect(expectedMs(undefined)).toBe(1_000)
})

test('a wake that is late is expected to take half as long again, and never less than a second', () => {
  expect(longRestMs(seen(5_000), 20_000)).toBe(10_000)
  expect(longRestMs(seen(100), 200)).toBe(1_000)
})
