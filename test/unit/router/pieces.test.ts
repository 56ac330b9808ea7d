import { expect, test } from 'vitest'
import { Pieces } from '../../../src/router/pieces.ts'

test('pieces come out as they came in, as one', () => {
  const pieces = new Pieces()
  const added = Array.from({ length: 1_000 }, (_, at) => Buffer.from('x'.repeat(at % 7) + at))
  for (const piece of added) pieces.add(piece)
  expect(pieces.bytes).toBe(Buffer.concat(added).length)
  expect(pieces.whole()).toEqual(Buffer.concat(added))
})
