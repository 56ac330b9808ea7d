import { describe, expect, it } from 'vitest'
import { formatBytes, formatDuration, formatTook } from '../../../src/cli/formatUnits.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

describe('a duration', () => {
  it.each([
    [0, '0ms'],
    [312.9, '312ms'],
    [999, '999ms'],
    [1_000, '1s'],
    [59_999, '59s'],
    [minute, '1m'],
    [3 * minute + 59_000, '3m'],
    [hour - 1, '59m'],
    [25 * hour, '1d'],
    [400 * day, '400d'],
    [-5, '0ms'],
  ])('of %d ms is shown in a table as %s', (ms, shown) => {
    expect(formatDuration(ms)).toBe(shown)
  })

  it.each([
    [3 * minute + 12_500, '3m 12s'],
    [2 * hour + 5_000, '2h'],
    [2 * hour + 5 * minute, '2h 5m'],
    [3 * day + 4 * hour + 5 * minute, '3d 4h'],
    [1_500, '1s'],
  ])('of %d ms is shown in full as %s', (ms, shown) => {
    expect(formatDuration(ms, 2)).toBe(shown)
  })

  it.each([
    [312.4, '312ms'],
    [1_000, '1.0s'],
    [1_299, '1.2s'],
    [59_990, '59.9s'],
    [61_000, '1m 1s'],
  ])('that something took, %d ms, is shown as %s', (ms, shown) => {
    expect(formatTook(ms)).toBe(shown)
  })
})

describe('a size', () => {
  it.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_024, '1.0 KB'],
    [12 * 1024 ** 2, '12 MB'],
    [1.5 * 1024 ** 3, '1.5 GB'],
    [9.96 * 1024 ** 2, '10 MB'],
    [2_000 * 1024 ** 4, '2000 TB'],
  ])('of %d bytes is shown as %s', (bytes, shown) => {
    expect(formatBytes(bytes)).toBe(shown)
  })
})
