// Holds a compiled filter against its policy, call by call, and finds a call they answer differently. A library that weakens
// a filter (libseccomp before 2.4.0: CVE-2019-9893; before 2.6.1: GHSA-4q85-33p6-j5g6, a wrong merge of 64-bit comparisons)
// is caught here rather than by a tenant. Tries every number, and of each argument the values where an answer could change:
// those that the profile compares with, the ones beside them, and each half of one with each half of another.
import { returnValueOf } from './actions.ts'
import { allBits, type Condition, witnessOf } from './conditions.ts'
import { type Program, runProgram, wordsOf } from './interpret.ts'
import { type Attempt, type Call, decide, firstForeignNumber, type Policy } from './policy.ts'

export interface Disagreement {
  readonly attempt: Attempt
  /** What the profile says and what the program returns, as the kernel has them (SECCOMP_RET_*). */
  readonly expected: number
  readonly found: number
}

/** The first call that the program answers differently than the policy; undefined when none was found. */
export const findDisagreement = (policy: Policy, program: Program): Disagreement | undefined => {
  for (const attempt of attemptsFor(policy, program)) {
    const expected = returnValueOf(decide(policy, attempt))
    const found = runProgram(program, wordsOf(attempt))
    if (found !== expected) return { attempt, expected, found }
  }
  return undefined
}

const none = [0n, 0n, 0n, 0n, 0n, 0n]
const all = none.map(() => allBits)
/** Beyond every number that any architecture has. */
const numbersToTry = 1024

export function* attemptsFor(policy: Policy, program: Program): Generator<Attempt> {
  const arch = policy.architecture.audit
  const constants = [...new Set(program.constant)]
  for (const foreign of foreignArchitectures(arch)) yield* withNumbers(foreign, [0, 1, 59, 257, 0xffff_ffff])
  yield* withNumbers(arch, foreignNumbers)
  const numbers = new Set([
    ...Array(numbersToTry).keys(),
    ...constants.flatMap((k) => [k, k + 1, k - 1]).map((k) => k >>> 0),
  ])
  yield* withNumbers(arch, numbers)
  for (const call of policy.calls.values()) yield* attemptsOf(call, arch)
}

function* withNumbers(arch: number, numbers: Iterable<number>): Generator<Attempt> {
  for (const number of numbers) {
    yield { arch, number, args: none }
    yield { arch, number, args: all }
  }
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
  ...Array.from({ length: 600 }, (_, number) => firstForeignNumber + number),
  ...[firstForeignNumber - 1, 9_999, 0x7fff_ffff, 0x8000_0000, 0xbfff_ffff, 0xc000_0000, 0xffff_fffe, 0xffff_ffff],
]

/** For each rule, its own arguments with each of them in turn at every value that matters to the call. */
function* attemptsOf({ number, rules }: Call, arch: number): Generator<Attempt> {
  const conditions = rules.flatMap((rule) => rule.conditions)
  const values = new Map(
    [0, 1, 2, 3, 4, 5].map((index) => [index, valuesThatMatter(conditions.filter((one) => one.index === index))]),
  )
  for (const rule of rules) {
    const met = none.map((zero, index) => {
      const condition = rule.conditions.find((one) => one.index === index)
      return (condition && witnessOf(condition)) ?? zero
    })
    for (const [index, candidates] of values) {
      for (const value of candidates) yield { arch, number, args: met.with(index, value) }
    }
  }
}

const low = (value: bigint): bigint => value & 0xffff_ffffn
const high = (value: bigint): bigint => value >> 32n

/** Where the answer for one argument can change, for each half of it and for the halves of different values together. */
export const valuesThatMatter = (conditions: readonly Condition[]): readonly bigint[] => {
  if (conditions.length === 0) return []
  const edges = conditions.flatMap(({ value, mask }) => [
    value,
    value + 1n,
    value - 1n,
    value | (allBits ^ mask),
    ...flips(value, mask),
  ])
  const lows = new Set([...edges.map((edge) => low(BigInt.asUintN(64, edge))), 0n, low(allBits)])
  const highs = new Set([
    ...conditions.flatMap(({ value }) => [high(value), high(value) + 1n]).map(low),
    0n,
    low(allBits),
  ])
  return [...highs].flatMap((top) => [...lows].map((bottom) => (top << 32n) | bottom))
}

/** The value with one bit of its mask the other way: the program must look at each of them. */
const flips = (value: bigint, mask: bigint): readonly bigint[] =>
  Array.from({ length: 32 }, (_, bit) => 1n << BigInt(bit))
    .filter((bit) => mask !== allBits && (mask & bit) !== 0n)
    .map((bit) => value ^ bit)
