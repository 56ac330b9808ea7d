import { describe, expect, test } from 'vitest'
import { policyOf } from '../../../src/seccomp/compileProfile.ts'
import { dangers } from '../../../src/seccomp/dangers.ts'
import { loadLibseccomp } from '../../../src/seccomp/libseccomp.ts'
import { lintPolicy, reasonNeeded } from '../../../src/seccomp/lint.ts'
import { architectureNames, dockerText, profileText, shippedNames, shippedText } from './shipped.ts'

const lint = (text: string, arch: (typeof architectureNames)[number] = 'x86_64') => {
  const policy = policyOf(text, { file: 'test.json', arch })
  return lintPolicy(policy, (name) => typeof loadLibseccomp().resolve(name, policy.architecture) === 'number')
}

const refusing = (...syscalls: readonly object[]): string =>
  profileText({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38, syscalls })

const allow = 'SCMP_ACT_ALLOW'

describe('a dangerous call that a profile allows', () => {
  test('is asked for a reason, and told with what it opens, by whom that is said and where it stands', () => {
    expect(lint(refusing({ names: ['read'], action: allow }, { names: ['bpf', 'write'], action: allow }))).toEqual([
      {
        call: 'bpf',
        args: [],
        why: 'runs programs inside the kernel',
        source: 'bpf(2); Documentation/bpf; CVE-2021-3490',
        place: 'syscalls[1]',
      },
    ])
  })

  test.each(['', '   ', `${reasonNeeded}: why may it use what runs programs inside the kernel?`])(
    'has no reason by the comment %j',
    (comment) => {
      expect(lint(refusing({ names: ['bpf'], action: allow, comment }))).toHaveLength(1)
    },
  )

  test('has one by any other comment of the entry that allows it, and by no other entry', () => {
    const comment = 'it is a profiler, and nothing else'
    expect(lint(refusing({ names: ['bpf'], action: allow, comment }))).toEqual([])
    const elsewhere = { names: ['bpf'], action: allow }
    expect(lint(refusing({ names: ['bpf'], action: allow, comment }, elsewhere))).toMatchObject([
      { call: 'bpf', place: 'syscalls[1]' },
    ])
  })

  test('is one too where it is allowed with some arguments only, or merely logged', () => {
    const args = [{ index: 0, value: 16, op: 'SCMP_CMP_EQ' }]
    expect(lint(refusing({ names: ['ptrace'], action: allow, args }))).toHaveLength(1)
    expect(lint(refusing({ names: ['ptrace'], action: 'SCMP_ACT_LOG' }))).toHaveLength(1)
  })

  test('is none where just what is dangerous about it is refused', () => {
    const plain = { names: ['clone'], action: allow }
    const noNamespaces = [{ index: 0, value: 0x7e02_0000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]
    expect(lint(refusing(plain)).map(({ args }) => args)).toHaveLength(7)
    expect(lint(refusing({ ...plain, args: noNamespaces }))).toEqual([])
    const alg = [{ index: 0, value: 38, op: 'SCMP_CMP_EQ' }]
    expect(lint(refusing({ names: ['socket'], action: allow, args: alg }))).toMatchObject([
      { call: 'socket', args: ['0x26', '0x5', '0x0'], source: 'CVE-2026-31431' },
    ])
  })

  test('is found where a default lets it through, and only where the architecture has it', () => {
    const open = profileText({ defaultAction: allow, syscalls: [] })
    const found = lint(open)
    expect(found.every(({ place }) => place === 'defaultAction')).toBe(true)
    expect(found.map(({ call }) => call)).toEqual(expect.arrayContaining(['bpf', 'io_uring_setup', 'iopl', 'unshare']))
    expect(lint(open, 'aarch64').map(({ call }) => call)).not.toContain('iopl')
  })
})

describe.each(architectureNames)('on %s', (arch) => {
  test.each(shippedNames)('the profile "%s" allows nothing dangerous without a reason', (name) => {
    expect(lint(shippedText(name), arch)).toEqual([])
  })
})

test('the default of Docker, which gives no reasons, is asked for them', () => {
  expect(lint(dockerText()).map(({ call }) => call)).toEqual(expect.arrayContaining(['ptrace', 'socket', 'modify_ldt']))
})

test('every dangerous call is one that exists, said with what it opens and where that is written', () => {
  const { resolve } = loadLibseccomp()
  const policy = policyOf(refusing(), { file: 'test.json', arch: 'x86_64' })
  for (const { call, why, source } of dangers) {
    expect([call, typeof resolve(call, policy.architecture)]).toEqual([call, 'number'])
    expect([why.length > 10, source.length > 4]).toEqual([true, true])
  }
})
