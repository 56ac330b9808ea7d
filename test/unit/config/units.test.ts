import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDuration, parseSize } from '../../../src/config/units.ts'

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1_500],
    ['2d', 172_800_000],
    ['0s', 0],
    [30, 30_000],
    [0.25, 250],
  ])('%s is %d ms', (written, milliseconds) => expect(parseDuration(written)).toBe(milliseconds))

  it.each([
    '',
    '5',
    '5 m',
    'm',
    '30m1h',
    '1h1h',
    '-5m',
    '5M',
    '1e3s',
    '٥m',
    ' 5m',
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    `${'9'.repeat(40)}d`,
  ])('%s is none', (written) => expect(parseDuration(written)).toBeUndefined())

  it('is the sum of its units, whichever are written', () => {
    const part = fc.integer({ min: 0, max: 500 })
    fc.assert(
      fc.property(part, part, part, (hours, minutes, seconds) => {
        expect(parseDuration(`${hours}h${minutes}m${seconds}s`)).toBe(((hours * 60 + minutes) * 60 + seconds) * 1_000)
      }),
    )
  })
})

describe('sizes count in 1024s', () => {
  it.each([
    ['256MB', 268_435_456],
    ['256M', 268_435_456],
    ['256 MiB', 268_435_456],
    ['1.5g', 1_610_612_736],
    ['64kb', 65_536],
    ['512', 512],
    ['512B', 512],
    [4096, 4096],
  ])('%s is %d bytes', (written, bytes) => expect(parseSize(written)).toBe(bytes))

  it.each(['', 'MB', '-1MB', '1XB', '1 000', '1,5G', 1.5, -4, '9'.repeat(40)])('%s is none', (written) =>
    expect(parseSize(written)).toBeUndefined(),
  )
})
