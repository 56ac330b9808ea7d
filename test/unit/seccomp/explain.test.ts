import { expect, test } from 'vitest'
import { policyOf } from '../../../src/seccomp/compileProfile.ts'
import { differencesBetween } from '../../../src/seccomp/diff.ts'
import { explainPolicy } from '../../../src/seccomp/explain.ts'
import { profileText, shippedNames, shippedText } from './shipped.ts'

const policy = (profile: object) => policyOf(profileText(profile), { file: 'mine.json', arch: 'x86_64' })
const shipped = (name: string) => policyOf(shippedText(name), { file: `${name}.json`, arch: 'x86_64' })

const netlink = {
  names: ['socket'],
  action: 'SCMP_ACT_ALLOW',
  args: [
    { index: 0, value: 16, op: 'SCMP_CMP_EQ' },
    { index: 2, value: 0, op: 'SCMP_CMP_EQ' },
  ],
}

test('a call is explained with its conditions, its rest and its reason', () => {
  const rows = explainPolicy(
    policy({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 38,
      syscalls: [
        { ...netlink, comment: 'routes' },
        { names: ['bind'], action: 'SCMP_ACT_KILL_PROCESS' },
      ],
    }),
  )
  expect(rows).toEqual([
    { name: 'bind', number: 49, action: 'kill_process', when: '', why: null, place: 'syscalls[1]' },
    {
      name: 'socket',
      number: 41,
      action: 'allow',
      when: 'arg0 = 0x10 and arg2 = 0',
      why: 'routes',
      place: 'syscalls[0]',
    },
    { name: 'socket', number: 41, action: 'ENOSYS', when: 'otherwise', why: null, place: 'defaultAction' },
  ])
})

test.each(shippedNames)('%s gives a reason for everything it says', (name) => {
  const own = explainPolicy(shipped(name)).filter(({ place }) => place !== 'defaultAction')
  expect(own.length).toBeGreaterThan(50)
  expect(own.filter(({ why }) => why === null)).toEqual([])
})

test('the order of entries and their reasons are no difference', () => {
  const bind = { names: ['bind'], action: 'SCMP_ACT_ALLOW' }
  const one = policy({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: [netlink, bind] })
  const other = policy({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [
      { ...bind, comment: 'x' },
      { ...netlink, args: netlink.args.toReversed() },
    ],
  })
  expect(differencesBetween(one, other)).toEqual([])
})

test('a difference is told by call, also that of the calls nobody names', () => {
  const one = policy({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names: ['bind'], action: 'SCMP_ACT_ALLOW' }, netlink],
  })
  const other = policy({ defaultAction: 'SCMP_ACT_LOG', syscalls: [{ names: ['bind'], action: 'SCMP_ACT_ALLOW' }] })
  expect(differencesBetween(one, other)).toEqual([
    { name: 'every other call', number: -1, before: ['EPERM'], after: ['log'] },
    { name: 'socket', number: 41, before: ['allow when arg0 = 0x10 and arg2 = 0', 'otherwise EPERM'], after: ['log'] },
  ])
})
