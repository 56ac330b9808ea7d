import { expect, test } from 'vitest'
import { quote } from '../../../src/config/problem.ts'

test('a long path is told whole, since it is there to be copied, and a long value is cut', () => {
  const path = `/srv/${'a'.repeat(100)}`
  expect(quote(path)).toBe(`"${path}"`)
  expect(quote('a'.repeat(100))).toBe(`"${'a'.repeat(59)}…"`)
  expect(quote(`/${'a'.repeat(10_000)}`).length).toBeLessThan(4_200)
})
