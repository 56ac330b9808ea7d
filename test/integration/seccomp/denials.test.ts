// What a program under each profile is told by the kernel, and by the kernel without a filter: every refusal here is the
// filter's own, because without it the same call ends otherwise.

import { constants } from 'node:os'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { architectureOf } from '../../../src/seccomp/architectures.ts'
import { loadLibseccomp } from '../../../src/seccomp/libseccomp.ts'
import { cannotConfine, openRoom, type Room } from './confined.ts'

const probe = '/srv/calls.py'
const { EPERM, ENOSYS, EAFNOSUPPORT, EPROTONOSUPPORT, EINVAL, ENOTTY } = constants.errno

let room: Room
beforeAll(async () => {
  room = await openRoom()
})
afterAll(async () => {
  await room.remove()
})

type Call = readonly [name: string | number, ...args: number[]]
/** What it is answered under strict, default and permissive; one answer where they agree. */
type Refusal = readonly [call: Call, ...expected: number[]]

const high = 2 ** 32
const newUser = 0x1000_0000

/** Calls that the kernel would carry out, or refuse for another reason. */
const refusals: readonly Refusal[] = [
  [['clone3', 0, 0], ENOSYS],
  [['unshare', newUser], EPERM],
  [['setns', 99, 0], EPERM],
  [['ptrace', 0, 0, 0, 0], EPERM],
  [['process_vm_readv', 1, 0, 0, 0, 0, 0], EPERM],
  [['pidfd_getfd', 99, 0, 0], EPERM],
  [['kcmp', 1, 1, 99, 0, 0], EPERM],
  [['keyctl', 99], EPERM],
  [['add_key', 0, 0, 0, 0, 0], EPERM],
  [['request_key', 0, 0, 0, 0], EPERM],
  [['perf_event_open', 0, 0, 0, 0, 0], EPERM],
  [['userfaultfd', 1], EPERM],
  [['personality', 0x4_0000], EPERM],
  [['name_to_handle_at', 99, 0, 0, 0, 0], ENOSYS],
  [['io_uring_setup', 0, 0], ENOSYS],
  [['io_uring_enter', 99, 0, 0, 0, 0, 0], ENOSYS],
  [['open_tree', 99, 0, 0], ENOSYS],
  [['move_mount', 99, 0, 99, 0, 0], ENOSYS],
  [['fsopen', 0, 0], ENOSYS],
  [['mount_setattr', 99, 0, 0, 0, 0], ENOSYS],
  [['fanotify_init', 0xffff, 0], ENOSYS],
  [['socket', 16, 3, 6], EPROTONOSUPPORT],
  [['socket', 16, 3, 12], EPROTONOSUPPORT],
  [['socket', 2, 3, 1], EPROTONOSUPPORT],
  [['socket', 17, 3, 0], EAFNOSUPPORT],
  [['ioctl', 99, 0x5412], EPERM],
  [['ioctl', 99, 0x5412 + high], EPERM],
  [['ioctl', 99, 0x5423], EPERM],
  [['ioctl', 99, 0x5430], ENOTTY, 0, 0],
  [['prctl', 22, 2, 0, 0, 0], EINVAL, 0, 0],
  [['shmget', 0, 4096, 0o600], ENOSYS, 0, 0],
  [['fchown', 99, 0, 0], EPERM, 0, 0],
]

/** What the kernel answers without a filter where the row says that a profile leaves it to the kernel. */
const leftToKernel = 0

const numberOf = (name: string | number): number => {
  const architecture = architectureOf(process.arch)
  const number =
    typeof name === 'number' || architecture === undefined ? name : loadLibseccomp().resolve(name, architecture)
  if (typeof number !== 'number') throw new Error(`no call ${name} on ${process.arch}`)
  return number
}

const outcomes = async (
  profile: string | undefined,
  calls: readonly (Call | readonly ['i386'])[],
): Promise<unknown[]> => {
  const numbered = calls.map(([name, ...args]) => (name === 'i386' ? [name] : [numberOf(name), ...args]))
  const { stdout, stderr } = await room.start(profile, ['/usr/bin/python3', '-u', probe, JSON.stringify(numbered)])
  if (stdout === null || stderr === null) throw new Error('bwrap has no output')
  const [printed, said] = await Promise.all([text(stdout), text(stderr)])
  const found: unknown = JSON.parse(printed || JSON.stringify(said))
  if (!Array.isArray(found)) throw new Error(said)
  return found
}

test.for([
  ['strict', 0],
  ['default', 1],
  ['permissive', 2],
] as const)(
  'a program under %s is refused as the table says, by the filter alone',
  async ([profile, column], { skip }) => {
    skip(cannotConfine() !== undefined, cannotConfine())
    const calls = refusals.map(([call]) => call)
    const [free, confined] = [await outcomes(undefined, calls), await outcomes(profile, calls)]
    const rows = refusals.map(([call, ...expected], at) => {
      const promised = expected[column] ?? expected[0]
      const isFilters = promised !== leftToKernel
      return {
        call: call.join(' '),
        found: confined[at],
        promised: isFilters ? promised : free[at],
        free: free[at],
        isFilters,
      }
    })
    expect(rows.filter(({ found, promised }) => found !== promised)).toEqual([])
    // A kernel built without a feature answers as the filter does.
    const meaningless = rows.filter(({ isFilters, found, free: without }) => isFilters && found === without)
    expect(meaningless.filter(({ found }) => found !== ENOSYS)).toEqual([])
    expect(rows.length - meaningless.length).toBeGreaterThan(25)
  },
)

test.for(['strict', 'default', 'permissive', 'nested'])(
  'a program under %s that enters the kernel as another architecture ends at once',
  async (profile, { skip }) => {
    skip(cannotConfine() !== undefined, cannotConfine())
    skip(process.arch !== 'x64', 'only x86_64 has a second entry')
    const [free] = await outcomes(undefined, [['i386']])
    skip(free !== 0, 'this kernel has no 32-bit entry')
    expect(await outcomes(profile, [['i386'], [9_999], [0x4000_0000 + 39], [512 + 0x4000_0000]])).toEqual([
      `signal ${constants.signals.SIGSYS}`,
      ENOSYS,
      ENOSYS,
      ENOSYS,
    ])
  },
)

test('a program under nested makes the namespaces that one under permissive may not', async ({ skip }) => {
  skip(cannotConfine() !== undefined, cannotConfine())
  const calls: readonly Call[] = [
    ['unshare', newUser],
    ['setns', 99, 0],
    ['ptrace', 0, 0, 0, 0],
    ['socket', 17, 3, 0],
  ]
  expect(await outcomes('nested', calls)).toEqual([0, EPERM, EPERM, EAFNOSUPPORT])
  expect((await outcomes('permissive', calls))[0]).toBe(EPERM)
})
