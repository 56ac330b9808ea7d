import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { maxLineBytes, splitLines } from '../../../src/launcher/lines.ts'

const linesOf = (chunks: readonly Uint8Array[]): string[] => {
  const lines: string[] = []
  const splitter = splitLines((line) => lines.push(line.toString('latin1')))
  for (const chunk of chunks) splitter.push(Buffer.from(chunk))
  splitter.flush()
  return lines
}

describe('lines of a pipe', () => {
  test('are the same however the bytes were cut into reads', () => {
    const bytes = fc.array(fc.constantFrom(10, 0, 13, 65, 255), { maxLength: 200 })
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(200), { maxLength: 8 }), (all, cuts) => {
        const whole = Buffer.from(all)
        const places = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].sort((a, b) => a - b)
        const chunks = places.slice(1).map((end, index) => whole.subarray(places[index], end))
        const expected = whole.toString('latin1').split('\n')
        if (expected.at(-1) === '') expected.pop()
        expect(linesOf(chunks)).toEqual(expected)
      }),
    )
  })

  test('are never longer than the bound, and lose no byte to it', () => {
    const long = 'x'.repeat(maxLineBytes * 2 + 5)
    const lines = linesOf([Buffer.from(long.slice(0, 7)), Buffer.from(long.slice(7)), Buffer.from('\nend\n')])
    expect(lines.map((line) => line.length)).toEqual([maxLineBytes, maxLineBytes, 5, 3])
    expect(lines.slice(0, 3).join('')).toBe(long)
  })

  test('an empty line is a line', () => {
    expect(linesOf([Buffer.from('\n\na\n')])).toEqual(['', '', 'a'])
  })
})
