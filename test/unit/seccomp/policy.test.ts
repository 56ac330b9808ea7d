import { describe, expect, test } from 'vitest'
import { describeAction } from '../../../src/seccomp/actions.ts'
import { type Architecture, architectures } from '../../../src/seccomp/architectures.ts'
import { decide } from '../../../src/seccomp/policy.ts'
import { policyFor } from '../../../src/seccomp/policyFor.ts'
import { parseProfile } from '../../../src/seccomp/profile.ts'
import { answer, dockerText, policyAndProgram, profileText } from './shipped.ts'

const numbers: Readonly<Record<string, number>> = { read: 0, socket: 41, ptrace: 101 }

const policyOf = (entry: object, differences: { kernelRelease?: string; arch?: Architecture['name'] } = {}) =>
  policyFor(
    parseProfile(
      profileText({
        defaultAction: 'SCMP_ACT_ERRNO',
        syscalls: [{ names: ['ptrace'], action: 'SCMP_ACT_ALLOW', ...entry }],
      }),
      'mine.json',
    ),
    {
      architecture: architectures[differences.arch ?? 'x86_64'],
      kernelRelease: differences.kernelRelease ?? '6.1.0-31-amd64',
      resolve: (name) => numbers[name] ?? (name === 'swapcontext' ? 'elsewhere' : undefined),
      knownNames: () => Object.keys(numbers),
    },
  )

const ptraceOn = (policy: ReturnType<typeof policyOf>): string =>
  describeAction(decide(policy, { arch: policy.architecture.audit, number: 101, args: [] }))

describe('an entry holds', () => {
  test.each([
    ['on a kernel of its minimum', { includes: { minKernel: '6.1' } }, {}, 'allow'],
    ['on a kernel beyond its minimum', { includes: { minKernel: '4.8' } }, { kernelRelease: '5.4.0' }, 'allow'],
    ['not on one before it', { includes: { minKernel: '6.2' } }, {}, 'EPERM'],
    ['not on 4.10 where 4.9 is excluded', { excludes: { minKernel: '4.9' } }, { kernelRelease: '4.10.1' }, 'EPERM'],
    ['on 4.8 where 4.9 is excluded', { excludes: { minKernel: '4.9' } }, { kernelRelease: '4.8' }, 'allow'],
    ['not for a capability, which no tenant holds', { includes: { caps: ['CAP_SYS_PTRACE'] } }, {}, 'EPERM'],
    ['without one that is excluded', { excludes: { caps: ['CAP_SYS_PTRACE'] } }, {}, 'allow'],
    ['on its architecture', { includes: { arches: ['amd64'] } }, {}, 'allow'],
    ['not on another', { includes: { arches: ['arm64'] } }, {}, 'EPERM'],
    [
      'not on one that is excluded',
      { excludes: { arches: ['arm64', 's390x'] } },
      { arch: 'aarch64' as const },
      'EPERM',
    ],
    ['where includes and excludes are empty', { includes: {}, excludes: null, args: null }, {}, 'allow'],
  ])('%s', (_, entry, differences, expected) => {
    expect(ptraceOn(policyOf(entry, differences))).toBe(expected)
  })
})

test('a call that only other architectures have is named and changes nothing', () => {
  const policy = policyOf({ names: ['swapcontext', 'ptrace'] })
  expect(policy.elsewhere).toEqual(['swapcontext'])
  expect([...policy.calls.keys()]).toEqual([101])
})

test('a mask keeps all of its 64 bits', () => {
  const text =
    '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":2,"value":18446744073709551615,"valueTwo":9223372036854775809,"op":"SCMP_CMP_MASKED_EQ"}]}]}'
  const { program } = policyAndProgram(text)
  expect(answer(program, 'x86_64', 'read', [0, 0, 0x8000_0000_0000_0001n])).toBe(0x7fff_0000)
  expect(answer(program, 'x86_64', 'read', [0, 0, 0x8000_0000_0000_0000n])).toBe(0x0005_0001)
})

test('calls younger than libseccomp have their number on either architecture', () => {
  const text = profileText({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names: ['mseal', 'listns', 'uretprobe'], action: 'SCMP_ACT_ALLOW' }],
  })
  const numbersOn = (arch: Architecture['name']) =>
    [...policyAndProgram(text, arch).policy.calls.keys()].sort((a, b) => a - b)
  expect(numbersOn('x86_64')).toEqual([335, 462, 470])
  expect(numbersOn('aarch64')).toEqual([462, 470])
})

test("Docker's default profile means here what it means to a container without capabilities", () => {
  const { program } = policyAndProgram(dockerText())
  const allow = 0x7fff_0000
  const eperm = 0x0005_0001
  expect(answer(program, 'x86_64', 'clone', [0x3d_0f00])).toBe(allow)
  expect(answer(program, 'x86_64', 'clone', [0x1000_0000])).toBe(eperm)
  expect(answer(program, 'x86_64', 'clone3')).toBe(0x0005_0026)
  expect(answer(program, 'x86_64', 'mount')).toBe(eperm)
  expect(answer(program, 'x86_64', 'ptrace')).toBe(allow)
  expect(answer(program, 'x86_64', 'socket', [38, 5])).toBe(eperm)
  expect(answer(program, 'x86_64', 'socket', [40, 1])).toBe(eperm)
  expect(answer(program, 'x86_64', 'socket', [17, 3])).toBe(allow)
  expect(answer(program, 'x86_64', 'arch_prctl')).toBe(allow)
})
