import { describe, expect, it } from 'vitest'
import { nearest, slipsBetween } from '../../../src/config/suggest.ts'

describe('what was probably meant', () => {
  it.each([
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
    ['python', 'python3', 1],
  ])('%s and %s are %d slips apart', (a, b, slips) => {
    expect(slipsBetween(a, b)).toBe(slips)
    expect(slipsBetween(b, a)).toBe(slips)
  })

  it('is the nearest candidate, whatever its case', () => {
    expect(nearest('idel_timeout', ['hold_timeout', 'idle_timeout'])).toBe('idle_timeout')
    expect(nearest('Unix', ['port', 'unix'])).toBe('unix')
  })

  it('is nothing when everything is far away', () => {
    expect(nearest('memory', ['command', 'cwd'])).toBeUndefined()
  })

  it('is not looked for in a text too long to be a slip', () => {
    expect(nearest('a'.repeat(101), ['a'.repeat(100)])).toBeUndefined()
  })
})
