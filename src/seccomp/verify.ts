// Holds a compiled filter against its policy, call by call, and finds a call they answer differently. A library that weakens
// a filter (libseccomp before 2.4.0: CVE-2019-9893; before 2.6.1: GHSA-4q85-33p6-j5g6, a wrong merge of 64-bit comparisons)
// is caught here rather than by a tenant. Tries every number, and of each argument the values where an answer could change:
// those that the profile compares with, the ones beside them, and each half of one with each half of another.
import { returnValueOf } from './actions.ts'
import { allBits, type Condition, witnessOf } from './conditions.ts'
import { type Program, runProgram, wordsOf } from './interpret.ts'
import { type Attempt, type Call, decide, firstForeignNumber, type Policy, type Rule } from './policy.ts'

export interface Disagreement {
  readonly attempt: Attempt
  /** What the profile says and what the program returns, as the kernel has them (SECCOMP_RET_*). */
  readonly expected: number
  readonly found: number
}

/** The first call that the program answers differently than the policy; undefined when none was found. */
export const findDisagreement = (policy: Policy, program: Program): Disagreement | undefined => {
  let words = wordsOf(none)
  let args = none
  for (const attempt of attemptsFor(policy, program)) {
    // Most attempts share their arguments with the one before.
    if (attempt.args !== args) words = wordsOf(attempt.args)
    args = attempt.args
    words[0] = attempt.number
    words[1] = attempt.arch
    const expected = returnValueOf(decide(policy, attempt))
    const found = runProgram(program, words)
    if (found !== expected) return { attempt, expected, found }
  }
  return undefined
}

const none: readonly bigint[] = [0n, 0n, 0n, 0n, 0n, 0n]
const all = none.map(() => allBits)
/** Beyond every number that any architecture has. */
const numbersToTry = 1024

function* attemptsFor(policy: Policy, program: Program): Generator<Attempt> {
  const arch = policy.architecture.audit
  const constants = [...new Set(program.constant)]
  for (const foreign of foreignArchitectures(arch)) yield* withNumbers(foreign, [0, 59, 0xffff_ffff], [none])
  yield* withNumbers(arch, foreignNumbers, [none, all])
  const numbers = new Set([
    ...Array(numbersToTry).keys(),
    ...constants.flatMap((k) => [k, k + 1, k - 1]).map((k) => k >>> 0),
  ])
  yield* withNumbers(arch, numbers, [none])
  // A call without conditions is answered without a look at its arguments.
  yield* withNumbers(arch, policy.calls.keys(), [all])
  for (const call of policy.calls.values()) yield* attemptsOf(call, arch)
}

function* withNumbers(
  arch: number,
  numbers: Iterable<number>,
  several: readonly Attempt['args'][],
): Generator<Attempt> {
  const each = [...numbers]
  for (const args of several) for (const number of each) yield { arch, number, args }
}

/** Every architecture that is one bit away, and those a kernel of either machine may run: x86, arm and each other. */
const foreignArchitectures = (own: number): readonly number[] =>
  [
    ...Array.from({ length: 32 }, (_, bit) => (own ^ (1 << bit)) >>> 0),
    0x4000_0003,
    0x4000_0028,
    0xc000_003e,
    0xc000_00b7,
    0,
  ].filter((audit) => audit !== own)

const foreignNumbers: readonly number[] = [
  ...Array.from({ length: 30 }, (_, bit) => firstForeignNumber + 2 ** bit),
  ...[
    firstForeignNumber - 1,
    firstForeignNumber,
    9_999,
    0x7fff_ffff,
    0x8000_0000,
    0xc000_0000,
    0xffff_fffe,
    0xffff_ffff,
  ],
]

/** For each rule, its own arguments with each of them in turn at every value that matters to the call. */
function* attemptsOf({ number, rules }: Call, arch: number): Generator<Attempt> {
  const conditions = rules.flatMap((rule) => rule.conditions)
  const bases = rules.map(argumentsThatMeet)
  for (const index of new Set(conditions.map((one) => one.index))) {
    const values = valuesThatMatter(conditions.filter((one) => one.index === index))
    // Rules that differ in this argument alone have the same attempts.
    const distinct = new Map(bases.map((args) => [args.with(index, 0n).join(), args]))
    for (const args of distinct.values())
      for (const value of values) yield { arch, number, args: args.with(index, value) }
  }
}

const argumentsThatMeet = ({ conditions }: Rule): readonly bigint[] =>
  none.map((zero, index) => {
    const condition = conditions.find((one) => one.index === index)
    return (condition && witnessOf(condition)) ?? zero
  })

const low = (value: bigint): bigint => value & 0xffff_ffffn
const high = (value: bigint): bigint => value >> 32n

/** Where the answer for one argument can change: each half of it there, and the halves of different values together. */
const valuesThatMatter = (conditions: readonly Condition[]): ReadonlySet<bigint> => {
  const edges = [0n, allBits, ...conditions.flatMap(edgesOf)].map((edge) => BigInt.asUintN(64, edge))
  const lows = new Set(edges.map(low))
  const highs = new Set(edges.map(high))
  return new Set([...highs].flatMap((top) => [...lows].map((bottom) => (top << 32n) | bottom)))
}

/** The value itself and its neighbours in either half; with a mask, the value with all bits that do not count, and with the first and the last that does. */
const edgesOf = ({ value, mask }: Condition): readonly bigint[] =>
  mask === allBits
    ? [value, value + 1n, value - 1n, value + halfBit, value - halfBit]
    : [value, value | (allBits ^ mask), value ^ (mask & -mask), value ^ highestBit(mask)]

/** The lowest bit of the upper half. */
const halfBit = 1n << 32n

const highestBit = (mask: bigint): bigint => (mask === 0n ? 0n : 1n << BigInt(mask.toString(2).length - 1))
