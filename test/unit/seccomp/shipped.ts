// What tests of filters share: the profiles that come with tenement, as text and compiled, and attempts at calls that are
// many more than the product itself tries.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { returnValueOf } from '../../../src/seccomp/actions.ts'
import { type Architecture, architectures } from '../../../src/seccomp/architectures.ts'
import { compileProfile, policyOf } from '../../../src/seccomp/compileProfile.ts'
import { allBits, type Condition } from '../../../src/seccomp/conditions.ts'
import { decodeProgram, type Program, runProgram, wordsOf } from '../../../src/seccomp/interpret.ts'
import { loadLibseccomp } from '../../../src/seccomp/libseccomp.ts'
import { type Attempt, decide, type Policy } from '../../../src/seccomp/policy.ts'

export const shippedNames = ['strict', 'default', 'permissive', 'nested'] as const
export const architectureNames = ['x86_64', 'aarch64'] as const

export const shippedText = (name: string): string => textOf(`../../../profiles/${name}.json`)
export const dockerText = (): string => textOf('../../fixtures/seccomp/docker-default.json')

const textOf = (path: string): string => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')

/** A profile of a few lines, as its author would have written it. */
export const profileText = (profile: object): string => JSON.stringify(profile)

export const policyAndProgram = (text: string, arch: Architecture['name'] = 'x86_64') => ({
  policy: policyOf(text, { file: 'test.json', arch }),
  program: decodeProgram(compileProfile(text, { file: 'test.json', arch })),
})

/** What a filter returns for a call by name, as SECCOMP_RET_*. */
export const answer = (
  program: Program,
  arch: Architecture['name'],
  name: string,
  args: readonly (bigint | number)[] = [],
): number => {
  const architecture = architectures[arch]
  const number = loadLibseccomp().resolve(name, architecture)
  if (typeof number !== 'number') throw new Error(`${arch} has no call ${name}`)
  return runProgram(program, wordsOf(args.map(BigInt), number, architecture.audit))
}

const zeros = [0n, 0n, 0n, 0n, 0n, 0n]

/** Every bit of every value the other way, and the values beside it. */
const valuesAround = ({ value, mask }: Condition): readonly bigint[] => {
  const flipped = Array.from({ length: 64 }, (_, bit) => value ^ (1n << BigInt(bit)))
  return [value, value + 1n, value - 1n, value | (allBits ^ mask), ...flipped].map((one) => BigInt.asUintN(64, one))
}

/** Numbers from 0 to `last` by a fixed sequence, so that a failure comes again. */
const makeDice = (seed: number) => {
  let state = seed
  return (last: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * (last + 1))
  }
}

const attemptsPerCall = 1_500

/** Arguments for each call with conditions: of each argument all values around those it is compared with, in mixed company. */
function* mixedAttempts(policy: Policy): Generator<Attempt> {
  const dice = makeDice(1)
  for (const { number, rules } of policy.calls.values()) {
    const conditions = rules.flatMap((rule) => rule.conditions)
    if (conditions.length === 0) continue
    const values = zeros.map((zero, index) => [
      zero,
      allBits,
      ...conditions.filter((one) => one.index === index).flatMap(valuesAround),
    ])
    for (let count = 0; count < attemptsPerCall; count += 1) {
      const args = values.map((candidates) => candidates[dice(candidates.length - 1)] ?? 0n)
      yield { arch: policy.architecture.audit, number, args }
    }
  }
}

const foreignArchitectures = [0x4000_0003, 0x4000_0028, 0xc000_003e, 0xc000_00b7, 0xc000_00f3, 0, 0xffff_ffff]
const numbers = [
  ...Array(601).keys(),
  ...Array.from({ length: 601 }, (_, number) => 0x4000_0000 + number),
  ...[9_999, 0x3fff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff],
]

export function* thoroughAttempts(policy: Policy): Generator<Attempt> {
  for (const arch of new Set([policy.architecture.audit, ...foreignArchitectures])) {
    for (const number of numbers) yield { arch, number, args: zeros }
  }
  for (const number of numbers) yield { arch: policy.architecture.audit, number, args: zeros.map(() => allBits) }
  yield* mixedAttempts(policy)
}

/** Attempts that the program answers otherwise than the policy says, the first few. */
export const disagreements = (policy: Policy, program: Program): readonly string[] => {
  const found: string[] = []
  for (const attempt of thoroughAttempts(policy)) {
    const expected = returnValueOf(decide(policy, attempt))
    const returned = runProgram(program, wordsOf(attempt.args, attempt.number, attempt.arch))
    if (returned !== expected)
      found.push(`${attempt.arch} ${attempt.number} (${attempt.args}): ${returned} for ${expected}`)
    if (found.length === 5) break
  }
  return found
}
