import { expect, test } from 'vitest'
import { compileProfile, policyOf } from '../../../src/seccomp/compileProfile.ts'
import { decodeProgram } from '../../../src/seccomp/interpret.ts'
import { parseJson } from '../../../src/seccomp/json.ts'
import { loadLibseccomp } from '../../../src/seccomp/libseccomp.ts'
import { essentialCalls } from '../../../src/trace/essentials.ts'
import { type Proposal, propose } from '../../../src/trace/propose.ts'
import { createTally } from '../../../src/trace/tally.ts'
import { answer, shippedText } from '../seccomp/shipped.ts'

const arch = 'x86_64'
const policyNamed = (name: string) => policyOf(shippedText(name), { file: `${name}.json`, arch })
const { architecture } = policyNamed('strict')

type Call = readonly [name: string, ...args: (number | bigint)[]]

/** A proposal over `base` of what was called under `running`. */
const proposed = (base: string, running: string, ...calls: readonly Call[]): Proposal => {
  const tally = createTally(policyNamed(base), policyNamed(running))
  for (const [name, ...args] of calls) {
    const number = loadLibseccomp().resolve(name, architecture)
    if (typeof number !== 'number') throw new Error(`there is no call ${name}`)
    tally.add({ number, args: args.map(BigInt) })
  }
  return propose({ name: base, file: `${base}.json`, text: shippedText(base), policy: policyNamed(base) }, tally, {
    instance: 'api:alice',
    seconds: 60,
    nameOf: (number) => loadLibseccomp().nameOf(number, architecture),
  })
}

const allowed = 0x7fff_0000
const answerOf = ({ profile }: Proposal, [name, ...args]: Call): number =>
  answer(decodeProgram(compileProfile(profile, { file: 'proposal', arch })), arch, name, args)

test('of what the base allows only what was called is left, and what every program may need', () => {
  const found = proposed('strict', 'strict', ['mkdir', 0, 0], ['mkdir', 0, 0], ['epoll_wait', 3])
  expect(found.made).toEqual([
    { name: 'epoll_wait', count: 1 },
    { name: 'mkdir', count: 2 },
  ])
  for (const name of ['mkdir', 'epoll_wait', 'exit_group', 'rt_sigreturn'])
    expect(answerOf(found, [name])).toBe(allowed)
  for (const name of ['rmdir', 'splice', 'listen']) expect([name, answerOf(found, [name])]).toEqual([name, 0x0005_0026])
})

test('a call that the base decides by its arguments is left with those that were used', () => {
  const found = proposed('strict', 'strict', ['socket', 2, 0x80801, 0])
  expect(answerOf(found, ['socket', 2, 1, 0])).toBe(allowed)
  expect(answerOf(found, ['socket', 10, 1, 0])).not.toBe(allowed)
  expect(answerOf(found, ['socket', 38, 5, 0])).not.toBe(allowed)
})

test('what went through though the base refuses it is added, and asks for a reason where it is dangerous', () => {
  const found = proposed('strict', 'nested', ['unshare', 0x1000_0000], ['chown', 0, 1, 1], ['chown', 0, 1, 1])
  expect(found.added).toEqual([
    { name: 'chown', count: 2, examples: ['0x0, 0x1, 0x1'], danger: null },
    { name: 'unshare', count: 1, examples: ['0x10000000'], danger: expect.stringContaining('namespaces') },
  ])
  expect(answerOf(found, ['unshare', 0x1000_0000])).toBe(allowed)
  expect(answerOf(found, ['setns'])).not.toBe(allowed)
  const { syscalls } = parseJson(found.profile) as { syscalls: { names: string[]; comment: string }[] }
  expect(syscalls.slice(-2)).toMatchObject([
    { names: ['chown'], comment: 'Beyond "strict": seen while tracing' },
    { names: ['unshare'], comment: expect.stringMatching(/^REASON NEEDED: .*namespaces/) },
  ])
})

test('what was refused while it was traced is told with its count, and not added', () => {
  const found = proposed('strict', 'strict', ...Array.from({ length: 12 }, (): Call => ['io_uring_setup', 64]))
  expect(found.refused).toEqual([
    { name: 'io_uring_setup', count: 12, examples: ['0x40'], danger: expect.stringContaining('filtered') },
  ])
  expect(found.added).toEqual([])
  expect(answerOf(found, ['io_uring_setup', 64])).not.toBe(allowed)
})

test('what the base refuses for its arguments is left to a person', () => {
  const found = proposed('strict', 'permissive', ['ioctl', 3, 0x5404])
  expect(found.undecided).toMatchObject([{ name: 'ioctl', count: 1, examples: ['0x3, 0x5404'] }])
  expect(found.added).toEqual([])
})

test('a tenant that makes calls without end, each with other arguments, takes no more memory for it', () => {
  const tally = createTally(policyNamed('strict'), policyNamed('strict'))
  for (let at = 0; at < 50_000; at += 1) tally.add({ number: 425, args: [BigInt(at)] })
  expect([...tally.calls.values()]).toMatchObject([{ count: 50_000, refused: 50_000, examples: ['0x0', '0x1', '0x2'] }])
})

test('the masks of a base keep all their digits', () => {
  expect(proposed('strict', 'strict', ['socket', 2, 1, 0]).profile).toContain('18446744073709551612')
})

test('every call that a program may always need is one that both bases allow', () => {
  for (const name of essentialCalls) {
    const number = loadLibseccomp().resolve(name, architecture)
    for (const base of ['strict', 'default'] as const) {
      const call = policyNamed(base).calls.get(Number(number))
      expect([base, name, call?.rules.some(({ action }) => action.kind === 'allow')]).toEqual([base, name, true])
    }
  }
})
