import { expect, test } from 'vitest'
import { createHops, hopsHeader } from '../../../src/router/hops.ts'

test('a request that keeps coming back is refused the ninth time', () => {
  const hops = createHops()
  let mark = hops.next([])
  let times = 1
  for (; mark !== undefined && times < 100; times += 1) mark = hops.next([hopsHeader, mark])
  expect(times).toBe(9)
})

test('a mark of somebody else counts for nothing, and beside one of ours it hides nothing', () => {
  const hops = createHops()
  const [first = '', other = ''] = [hops.next([]), createHops().next([])]
  for (const forged of ['8', '8.', `8.${first.slice(2)}`, other, ''])
    expect(hops.next([hopsHeader, forged])).toBe(first)
  const second = hops.next([hopsHeader, first])
  expect(second).not.toBe(first)
  expect(hops.next(['X-Tenement-Hops', other, hopsHeader, first, hopsHeader, ''])).toBe(second)
})
