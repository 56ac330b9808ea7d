// A policy → the program the kernel runs. libseccomp makes each part; what it cannot say is put around them here:
//   arch is another            → kill the process          (libseccomp has one answer for this and for x32 together)
//   number is 0x40000000 or up → ENOSYS
//   number is of a call with an `otherwise` → the part made for that call alone, whose default is that answer
//   else                       → the part made for all other calls
// Parts are only put one behind the other: jumps are relative, and each part answers every call that gets into it.
import { TenementError } from '../errors.ts'
import { isSameAction, returnValueOf } from './actions.ts'
import { instructionBytes, mostInstructions, opcode } from './interpret.ts'
import type { Libseccomp, NumberedRule } from './libseccomp.ts'
import { type Call, firstForeignNumber, foreignAction, foreignNumberAction, type Policy } from './policy.ts'

const numberOffset = 0
const archOffset = 4

const instruction = (code: number, k: number, ifTrue = 0, ifFalse = 0): Buffer => {
  const bytes = Buffer.alloc(instructionBytes)
  bytes.writeUInt16LE(code, 0)
  bytes.writeUInt8(ifTrue, 2)
  bytes.writeUInt8(ifFalse, 3)
  bytes.writeUInt32LE(k, 4)
  return bytes
}

/** Leaves the call's number in the accumulator. */
const prologue = (audit: number): readonly Buffer[] => [
  instruction(opcode.load, archOffset),
  instruction(opcode.equal, audit, 1, 0),
  instruction(opcode.return, returnValueOf(foreignAction)),
  instruction(opcode.load, numberOffset),
  instruction(opcode.notLess, firstForeignNumber, 0, 1),
  instruction(opcode.return, returnValueOf(foreignNumberAction)),
]

/** Enters the part when the accumulator holds this number, and else leaves the accumulator as it is. */
const onlyFor = (number: number, part: Buffer): readonly Buffer[] => [
  instruction(opcode.equal, number, 1, 0),
  instruction(opcode.jump, part.length / instructionBytes),
  part,
]

/** A program for the policy's architecture, whichever this machine has. */
export const compilePolicy = (policy: Policy, file: string, library: Libseccomp): Uint8Array => {
  refuseOversized(policy, file)
  const calls = [...policy.calls.values()].sort((a, b) => a.number - b.number)
  const build = (defaultAction: number, rules: readonly NumberedRule[]): Buffer =>
    forArchitecture(library.build(defaultAction, rules), library.nativeAudit, policy.architecture.audit)
  const parts = calls.flatMap((call) => {
    if (call.otherwise === undefined) return []
    const fallback = returnValueOf(call.otherwise.action)
    return onlyFor(call.number, build(fallback, rulesOf(call, fallback)))
  })
  const fallback = returnValueOf(policy.defaultAction)
  const rest = calls.filter((call) => call.otherwise === undefined)
  const main = build(
    fallback,
    rest.flatMap((call) => rulesOf(call, fallback)),
  )
  const program = Buffer.concat([...prologue(policy.architecture.audit), ...parts, main])
  if (program.length > mostInstructions * instructionBytes) throw tooLong(file, program.length / instructionBytes)
  return program
}

/** libseccomp refuses a rule that says what holds without it. */
const rulesOf = ({ number, rules }: Call, fallback: number): readonly NumberedRule[] => {
  const unconditional = rules.find(({ conditions }) => conditions.length === 0)
  const needed = unconditional ? [unconditional] : rules.filter((rule, at) => !repeats(rules.slice(0, at), rule))
  return needed
    .map(({ action, conditions }) => ({ number, action: returnValueOf(action), conditions }))
    .filter(({ action }) => action !== fallback)
}

const repeats = (earlier: Call['rules'], { action, conditions }: Call['rules'][number]): boolean =>
  earlier.some((other) => isSameAction(other.action, action) && isSame(other.conditions, conditions))

type Conditions = Call['rules'][number]['conditions']

const isSame = (a: Conditions, b: Conditions): boolean =>
  a.length === b.length &&
  a.every((one) =>
    b.some(
      (two) =>
        one.index === two.index && one.operator === two.operator && one.value === two.value && one.mask === two.mask,
    ),
  )

/**
 * The same program for the numbers of another architecture. libseccomp itself translates rules for a foreign architecture by
 * name, and so refuses every call it cannot name; numbers it takes as they come. So it builds for its own, and the one
 * constant that says which that is is exchanged.
 */
const forArchitecture = (program: Buffer, builtFor: number, audit: number): Buffer => {
  const isCheck =
    program.readUInt16LE(0) === opcode.load &&
    program.readUInt32LE(4) === archOffset &&
    program.readUInt16LE(8) === opcode.equal &&
    program.readUInt32LE(12) === builtFor
  if (!isCheck) throw new TenementError('internal', 'a program of libseccomp does not begin with its architecture')
  program.writeUInt32LE(audit, 12)
  return program
}

/** Most instructions that libseccomp makes of one condition: a load, a mask and a comparison for each half, and a jump. */
const instructionsPerCondition = 7
const instructionsPerCall = 4

/** A filter that comes out too long corrupts the heap in libseccomp before 2.6.1 (GHSA-2hqh-5c36-grrm), so it is never asked for one. */
const refuseOversized = ({ calls }: Policy, file: string): void => {
  let most = 0
  for (const { rules } of calls.values()) {
    most += instructionsPerCall
    for (const { conditions } of rules) most += conditions.length * instructionsPerCondition
  }
  if (most > mostInstructions) throw tooLong(file, most)
}

const tooLong = (file: string, instructions: number): TenementError =>
  new TenementError(
    'invalid_profile',
    `${file}: the filter would have up to ${instructions} instructions, and the kernel takes ${mostInstructions}`,
    {
      fix: 'state fewer conditions: one MASKED_EQ or range instead of many values',
    },
  )
