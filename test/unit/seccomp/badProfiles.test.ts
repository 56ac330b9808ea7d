import { describe, expect, test } from 'vitest'
import { TenementError } from '../../../src/errors.ts'
import { compileProfile } from '../../../src/seccomp/compileProfile.ts'
import { profileText } from './shipped.ts'

const eq = (index: number, value: number) => ({ index, value, op: 'SCMP_CMP_EQ' })
const errno = 'SCMP_ACT_ERRNO'
const allow = 'SCMP_ACT_ALLOW'

const top = (rest: object): string => profileText({ defaultAction: errno, ...rest })
const withEntry = (entry: object): string => top({ syscalls: [{ names: ['socket'], action: allow, ...entry }] })
const withArg = (arg: object): string => withEntry({ args: [{ ...eq(0, 1), ...arg }] })

const refused = (text: string): TenementError => {
  try {
    compileProfile(text, { file: 'mine.json', arch: 'x86_64' })
  } catch (error) {
    if (error instanceof TenementError) return error
    throw error
  }
  throw new Error('it was compiled')
}

const bad: readonly (readonly [what: string, text: string, message: string, fix: string])[] = [
  ['no JSON', '{ "defaultAction": ', 'mine.json: this is not JSON: ', 'mend it'],
  ['nothing', 'null', 'the profile is missing', 'defaultAction'],
  ['a list', '[]', 'the profile is a list', 'make it an object'],
  ['no default', '{}', 'defaultAction is missing', 'make it a text'],
  [
    'an unknown action',
    withEntry({ action: 'SCMP_ACT_DENY' }),
    'syscalls[0].action is "SCMP_ACT_DENY"',
    'SCMP_ACT_ERRNO',
  ],
  ['a name every object has as action', withEntry({ action: 'constructor' }), 'is "constructor"', 'it may be'],
  ['an unknown default action', profileText({ defaultAction: 'allow' }), 'defaultAction is "allow"', 'SCMP_ACT_ALLOW'],
  ['notification', withEntry({ action: 'SCMP_ACT_NOTIFY' }), 'is "SCMP_ACT_NOTIFY"', 'it may be SCMP_ACT_ALLOW'],
  ['a listener', top({ listenerPath: '/run/x' }), 'listenerPath asks for a listener', 'remove listenerPath'],
  ['a flag', top({ flags: ['SECCOMP_FILTER_FLAG_LOG'] }), 'flags[0] is "SECCOMP_FILTER_FLAG_LOG"', 'remove it'],
  [
    'an unknown call',
    withEntry({ names: ['read', 'wirte'] }),
    'syscalls[0].names has "wirte", which is no system call',
    'perhaps write is meant',
  ],
  [
    'an unknown call of elsewhere',
    withEntry({ names: ['nonesuch'], includes: { arches: ['s390x'] } }),
    'has "nonesuch"',
    'remove it',
  ],
  ['an empty name', withEntry({ names: [''] }), 'has ""', 'mend it'],
  ['a name with a NUL', withEntry({ names: ['read\0x'] }), 'which is no system call', 'mend it'],
  ['no names', withEntry({ names: [] }), 'syscalls[0] names no system call', 'names'],
  ['both name and names', withEntry({ name: 'bind' }), 'has both "name" and "names"', 'keep "names"'],
  [
    'an unknown operator',
    withArg({ op: 'SCMP_CMP_IN' }),
    'syscalls[0].args[0].op is "SCMP_CMP_IN"',
    'SCMP_CMP_MASKED_EQ',
  ],
  ['no operator', withEntry({ args: [{ index: 0, value: 1 }] }), 'args[0].op is missing', 'make it a text'],
  ['a seventh argument', withArg({ index: 6 }), 'args[0].index is 6', 'from 0 to 5'],
  ['a fractional index', withArg({ index: 0.5 }), 'args[0].index is 0.5', 'from 0 to 5'],
  ['a negative value', withArg({ value: -1 }), 'args[0].value is -1', 'from 0 to 18446744073709551615'],
  ['a value as text', withArg({ value: '1' }), 'args[0].value is the text "1"', 'whole number'],
  [
    '65 bits',
    withEntry({ args: [eq(0, 1)] }).replace('"value":1', '"value":18446744073709551616'),
    'args[0].value is',
    'from 0 to 18446744073709551615',
  ],
  ['a rounded value', withArg({ value: 1e300 }), 'args[0].value is 1e+300', 'whole number'],
  [
    'a second value that is not read',
    withArg({ valueTwo: 2 }),
    'valueTwo is read for SCMP_CMP_MASKED_EQ only',
    'remove it',
  ],
  [
    'a mask that lacks the value',
    withArg({ op: 'SCMP_CMP_MASKED_EQ', value: 1, valueTwo: 2 }),
    'can never be met: arg0 & 1 = 2',
    'mend it',
  ],
  ['less than nothing', withArg({ op: 'SCMP_CMP_LT', value: 0 }), 'can never be met: arg0 < 0', 'mend it'],
  [
    'more than everything',
    withArg({ op: 'SCMP_CMP_GT' }).replace('"value":1', '"value":18446744073709551615'),
    'can never be met',
    'mend it',
  ],
  [
    'two conditions on one argument',
    withEntry({ args: [eq(0, 1), eq(0, 2)] }),
    'syscalls[0].args has two conditions on argument 0',
    'write two entries',
  ],
  ['an unknown key', withEntry({ errnoret: 1 }), 'syscalls[0] has the key "errnoret"', 'keys are names'],
  ['an unknown key at the top', top({ syscals: [] }), 'the profile has the key "syscals"', 'syscalls'],
  ['an errno with allow', withEntry({ errnoRet: 1 }), 'errnoRet means nothing with SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO'],
  ['too great an errno', withEntry({ action: errno, errnoRet: 4095 }), 'errnoRet is 4095', 'from 0 to 4094'],
  ['no such errno', withEntry({ action: errno, errno: 'ENOPE' }), 'errno is "ENOPE", which is no errno', 'EPERM'],
  [
    'two errnos',
    withEntry({ action: errno, errno: 'EPERM', errnoRet: 2 }),
    'errno is "EPERM", which is 1, beside the number 2',
    'keep',
  ],
  ['a kernel version of three', withEntry({ includes: { minKernel: '4.8.1' } }), 'minKernel is "4.8.1"', 'write it as'],
  [
    'another architecture',
    top({ architectures: ['SCMP_ARCH_ARM'] }),
    'is for SCMP_ARCH_ARM, not for x86_64',
    'add "SCMP_ARCH_X86_64"',
  ],
  [
    'both kinds of architectures',
    top({ architectures: ['SCMP_ARCH_X86_64'], archMap: [{ architecture: 'SCMP_ARCH_X86_64' }] }),
    'archMap stands beside "architectures"',
    'keep one',
  ],
  [
    'conditions on the rest',
    withEntry({ otherwise: true, args: [eq(0, 1)] }),
    'has conditions beside "otherwise"',
    'remove one',
  ],
  ['otherwise as text', withEntry({ otherwise: 'yes' }), 'otherwise is the text "yes"', 'true or false'],
]

describe('a profile with', () => {
  test.each(bad)('%s is refused with the place and the way out', (_, text, message, fix) => {
    const error = refused(text)
    expect(error.code).toBe('invalid_profile')
    expect(error.message).toContain('mine.json: ')
    expect(error.message).toContain(message)
    expect(error.fix).toContain(fix)
  })
})

describe('entries that contradict each other are refused with an example:', () => {
  const both = (first: object, second: object): string =>
    top({ syscalls: [first, second].map((entry) => ({ names: ['socket'], ...entry })) })

  test.each([
    [
      'a refusal beside "allow"',
      both({ action: allow }, { action: errno, args: [eq(0, 38)] }),
      'of socket where arg0 = 38, syscalls[0] says allow and syscalls[1] says EPERM',
    ],
    [
      'two that meet in one value',
      both({ action: allow, args: [eq(0, 2)] }, { action: errno, args: [eq(1, 3)] }),
      'where arg0 = 2, arg1 = 3',
    ],
    [
      'a range and a mask',
      both(
        { action: allow, args: [{ ...eq(0, 9), op: 'SCMP_CMP_GT' }] },
        { action: errno, args: [{ index: 0, value: 3, valueTwo: 3, op: 'SCMP_CMP_MASKED_EQ' }] },
      ),
      'where arg0 = 11',
    ],
    [
      'two for the rest',
      both({ action: allow, otherwise: true }, { action: errno, otherwise: true }),
      'says allow and syscalls[1] says EPERM',
    ],
    [
      'a rest that nothing is left for',
      both({ action: allow, otherwise: true }, { action: errno }),
      'syscalls[1] says EPERM and syscalls[0] says allow',
    ],
    [
      'two errnos',
      both({ action: errno, errnoRet: 1 }, { action: errno, errnoRet: 38 }),
      'says EPERM and syscalls[1] says ENOSYS',
    ],
  ])('%s', (_, text, message) => {
    const error = refused(text)
    expect(error.message).toContain(message)
    expect(error.fix).toContain('make their conditions exclude each other')
  })

  test.each([
    [
      'exclude each other',
      both({ action: allow, args: [eq(0, 2)] }, { action: errno, args: [{ ...eq(0, 2), op: 'SCMP_CMP_NE' }] }),
    ],
    ['say the same', both({ action: allow }, { action: allow, args: [eq(0, 2)] })],
    ['leave the rest to one', both({ action: allow, otherwise: true }, { action: errno, args: [eq(0, 2)] })],
  ])('but not those that %s', (_, text) => {
    expect(compileProfile(text, { file: 'mine.json' }).length).toBeGreaterThan(0)
  })
})

test('a profile with more conditions than the kernel takes is refused before libseccomp sees it (GHSA-2hqh-5c36-grrm)', () => {
  const syscalls = Array.from({ length: 1_000 }, (_, value) => ({
    names: ['ioctl'],
    action: allow,
    args: [eq(1, value)],
  }))
  const error = refused(top({ syscalls }))
  expect(error.message).toMatch(/would have up to \d+ instructions, and the kernel takes 4096/)
  expect(error.fix).toContain('MASKED_EQ')
})
