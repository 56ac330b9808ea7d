import { expect, test } from 'vitest'
import { createMemoryBudget } from '../../../src/router/memoryBudget.ts'

test('what can be done without leaves half of the memory to what cannot', () => {
  const memory = createMemoryBudget(100)
  const giveBack = memory.takeSpare(50)
  expect(memory.takeSpare(1)).toBeUndefined()
  expect(memory.take(50)).toBeDefined()
  expect(memory.take(1)).toBeUndefined()
  giveBack?.()
  expect(memory.taken).toBe(50)
  expect(memory.takeSpare(1)).toBeUndefined()
})
