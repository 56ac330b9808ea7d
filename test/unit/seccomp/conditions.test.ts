import fc from 'fast-check'
import { expect, test } from 'vitest'
import { allBits, type Condition, commonArguments, isMet, type Operator } from '../../../src/seccomp/conditions.ts'

// Values of four bits at either end of the 64, so that all 256 arguments that matter can be tried one by one.
const spread = (bits: number): bigint => (BigInt(bits >> 4) << 60n) | BigInt(bits & 0xf)
const everyArgument = Array.from({ length: 256 }, (_, bits) => spread(bits))

const plain = fc.record({
  index: fc.constant(0),
  operator: fc.constantFrom<Operator[]>('NE', 'LT', 'LE', 'EQ', 'GE', 'GT'),
  value: fc.nat(255).map(spread),
  mask: fc.constant(allBits),
})
const masked = fc
  .tuple(fc.nat(255).map(spread), fc.nat(255).map(spread))
  .map(([mask, value]): Condition => ({ index: 0, operator: 'MASKED_EQ', value: value & mask, mask }))
const condition: fc.Arbitrary<Condition> = fc.oneof(plain, masked)

test('an argument that meets two conditions is found whenever there is one', () => {
  fc.assert(
    fc.property(condition, condition, (a, b) => {
      const argument = commonArguments([a], [b])?.get(0)
      if (argument !== undefined) expect([isMet(a, argument), isMet(b, argument)]).toEqual([true, true])
      else expect(everyArgument.filter((one) => isMet(a, one) && isMet(b, one))).toEqual([])
    }),
    { numRuns: 2_000 },
  )
})

test('conditions on different arguments never exclude each other', () => {
  const on = (index: number): Condition => ({ index, operator: 'EQ', value: 7n, mask: allBits })
  expect(commonArguments([on(0)], [on(3)])).toEqual(
    new Map([
      [0, 7n],
      [3, 7n],
    ]),
  )
  expect(commonArguments([], [])).toEqual(new Map())
})
