import { expect, test } from 'vitest'
import { expectedMs, expectedRestMs, nextTypicalMs } from '../../../src/supervisor/wakeTime.ts'

test('the typical wake follows the newest ones, and one slow wake does not decide', () => {
  expect(nextTypicalMs(undefined, 200)).toBe(200)
  expect(nextTypicalMs(200, 1_200)).toBe(500)
  let typicalMs = 200
  for (let wakes = 0; wakes < 20; wakes += 1) typicalMs = nextTypicalMs(typicalMs, 1_000)
  expect(typicalMs).toBeCloseTo(1_000, -1)
})

test('the rest is what is usual less what has passed', () => {
  expect(expectedRestMs(5_000, 2_000)).toBe(3_000)
  expect(expectedMs(undefined)).toBe(1_000)
})

test('a wake that is late is expected to take half as long again, and never less than a second', () => {
  expect(expectedRestMs(5_000, 20_000)).toBe(10_000)
  expect(expectedRestMs(100, 200)).toBe(1_000)
})
