import { expect, test } from 'vitest'
import { createRetryBudget, type RetryBudget } from '../../../src/router/retryBudget.ts'

const takeAll = (budget: RetryBudget): number => {
  let taken = 0
  while (budget.withdraw()) taken += 1
  return taken
}

test('retries are a tenth of the requests once those in hand are spent', () => {
  const budget = createRetryBudget(() => 0)
  expect(takeAll(budget)).toBe(10)
  let retried = 0
  for (let request = 0; request < 1_000; request += 1) {
    budget.deposit()
    if (budget.withdraw()) retried += 1
  }
  expect(retried).toBeGreaterThanOrEqual(99)
  expect(retried).toBeLessThanOrEqual(100)
})

test('a quiet instance may be asked again all the same, and saves up no more than ten', () => {
  let nowMs = 0
  const budget = createRetryBudget(() => nowMs)
  takeAll(budget)
  nowMs += 9_000
  expect(takeAll(budget)).toBe(0)
  nowMs += 1_000
  expect(takeAll(budget)).toBe(1)
  nowMs += 3_600_000
  expect(takeAll(budget)).toBe(10)
})
