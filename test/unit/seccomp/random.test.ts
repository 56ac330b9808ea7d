// Profiles nobody would write, compiled by the installed libseccomp: its filter means what the profile says, or is refused.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TenementError } from '../../../src/errors.ts'
import { compileProfile } from '../../../src/seccomp/compileProfile.ts'
import { architectureNames, disagreements, policyAndProgram, profileText } from './shipped.ts'

const action = fc.oneof(
  fc
    .constantFrom('ALLOW', 'KILL_PROCESS', 'KILL_THREAD', 'TRAP', 'LOG')
    .map((kind) => ({ action: `SCMP_ACT_${kind}` })),
  fc.integer({ min: 0, max: 4_094 }).map((errnoRet) => ({ action: 'SCMP_ACT_ERRNO', errnoRet })),
)

const number = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.constantFrom(0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 2 ** 32, 2 ** 32 + 1, 2 ** 33, 2 ** 52 + 3),
)

const condition = fc.oneof(
  fc.record({
    index: fc.nat(2),
    value: number,
    op: fc.constantFrom('NE', 'LT', 'LE', 'EQ', 'GE', 'GT').map((op) => `SCMP_CMP_${op}`),
  }),
  fc
    .record({ index: fc.nat(2), mask: fc.constantFrom(1, 0xf, 0xff0, 0xffff_ffff, 0x7e02_0000), bits: fc.nat(0xffff) })
    .map(({ index, mask, bits }) => ({ index, value: mask, valueTwo: (mask & bits) >>> 0, op: 'SCMP_CMP_MASKED_EQ' })),
)

const entry = fc
  .record({
    name: fc.constantFrom('socket', 'ioctl', 'read', 'futex', 'mseal', 'prctl'),
    action,
    args: fc.uniqueArray(condition, { maxLength: 3, selector: ({ index }) => index }),
    otherwise: fc.boolean(),
  })
  .map(({ name, action, args, otherwise }) =>
    otherwise ? { names: [name], ...action, otherwise } : { names: [name], ...action, args },
  )

const profile = fc.record({ top: action, syscalls: fc.array(entry, { maxLength: 8 }) }).map(({ top, syscalls }) => {
  const { action, ...rest } = top
  return profileText({
    defaultAction: action,
    ...('errnoRet' in rest ? { defaultErrnoRet: rest.errnoRet } : {}),
    syscalls,
  })
})

/** Whether it is refused for what it says, or since the installed libseccomp would weaken it; anything else is thrown on. */
const isRefused = (text: string): boolean => {
  try {
    compileProfile(text, { file: 'random.json' })
    return false
  } catch (error) {
    if (error instanceof TenementError && ['invalid_profile', 'unsupported_machine'].includes(error.code)) return true
    throw error
  }
}

test.each(architectureNames)(
  'a random profile compiles to what it says, or not at all (%s)',
  (arch) => {
    let compiled = 0
    fc.assert(
      fc.property(profile, (text) => {
        if (isRefused(text)) return
        compiled += 1
        const { policy, program } = policyAndProgram(text, arch)
        expect(disagreements(policy, program)).toEqual([])
      }),
      { numRuns: 80 },
    )
    expect(compiled).toBeGreaterThan(10)
  },
  90_000,
)
