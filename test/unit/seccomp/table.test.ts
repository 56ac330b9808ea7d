// The table of refusals that every level promises, as numbers a tenant sees. Written by hand, from nothing in profiles/.
import { constants } from 'node:os'
import { describe, expect, test } from 'vitest'
import type { Program } from '../../../src/seccomp/interpret.ts'
import { runProgram, wordsOf } from '../../../src/seccomp/interpret.ts'
import { answer, architectureNames, policyAndProgram, shippedNames, shippedText } from './shipped.ts'

const allow = 0x7fff_0000
const killProcess = 0x8000_0000
const errno = (name: keyof typeof constants.errno): number => 0x0005_0000 + constants.errno[name]

const names = (text: string): readonly string[] => text.split(' ')

type Level = (typeof shippedNames)[number]
const everywhere: readonly Level[] = shippedNames
const allowLists: readonly Level[] = ['strict', 'default']
const butNested: readonly Level[] = ['strict', 'default', 'permissive']

type Row = readonly [levels: readonly Level[], expected: number, name: string, ...args: (number | bigint)[]]

const mountOrNamespace = names('mount umount2 unshare pivot_root chroot')
const notPermitted = names(
  'ptrace process_vm_readv process_vm_writev setns bpf perf_event_open keyctl add_key request_key open_by_handle_at kcmp pidfd_getfd syslog reboot swapon swapoff init_module finit_module delete_module kexec_load kexec_file_load acct clock_settime settimeofday clock_adjtime adjtimex userfaultfd sethostname setdomainname',
)
const notThere = names(
  'io_uring_setup io_uring_enter io_uring_register open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr statmount listmount name_to_handle_at fanotify_init quotactl',
)
const namespaceFlags = [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000]
const threadFlags = 0x003d_0f00
const families = {
  AF_AX25: 3,
  AF_KEY: 15,
  AF_PACKET: 17,
  AF_RDS: 21,
  AF_BLUETOOTH: 31,
  AF_RXRPC: 33,
  AF_ALG: 38,
  AF_VSOCK: 40,
  AF_SMC: 43,
  AF_XDP: 44,
}
const types = { stream: 1, datagram: 2, raw: 3, seqpacket: 5, dccp: 6 }
const cloexec = 0o2000000
const high = 2n ** 32n

const rows: readonly Row[] = [
  ...notPermitted.map((name): Row => [everywhere, errno('EPERM'), name]),
  ...mountOrNamespace.map((name): Row => [butNested, errno('EPERM'), name]),
  ...mountOrNamespace.map((name): Row => [['nested'], allow, name]),
  ...notThere.map((name): Row => [everywhere, errno('ENOSYS'), name]),
  [['strict'], errno('ENOSYS'), 'memfd_secret'],
  [everywhere, errno('ENOSYS'), 'clone3'],
  [everywhere, allow, 'clone', threadFlags],
  [everywhere, allow, 'clone', 17],
  ...namespaceFlags.map((flag): Row => [butNested, errno('EPERM'), 'clone', flag | 17]),
  ...namespaceFlags.map((flag): Row => [['nested'], allow, 'clone', flag | 17]),

  ...Object.values(families).map((family): Row => [everywhere, errno('EAFNOSUPPORT'), 'socket', family, types.stream]),
  ...Object.values(families).map(
    (family): Row => [everywhere, errno('EAFNOSUPPORT'), 'socketpair', family, types.stream],
  ),
  [everywhere, allow, 'socketpair', 1, types.stream | cloexec],
  [everywhere, errno('EAFNOSUPPORT'), 'socket', 38n + high, types.seqpacket],
  [everywhere, errno('EAFNOSUPPORT'), 'socket', 2n + high, types.stream],
  ...[1, 2, 10].flatMap((family): Row[] => [
    [everywhere, allow, 'socket', family, types.stream],
    [everywhere, allow, 'socket', family, types.datagram | cloexec],
    [everywhere, errno('EPROTONOSUPPORT'), 'socket', family, types.raw],
    [everywhere, errno('EPROTONOSUPPORT'), 'socket', family, types.dccp],
  ]),
  [everywhere, allow, 'socket', 1, types.seqpacket],
  [everywhere, allow, 'socket', 2, types.stream, 6],
  [everywhere, allow, 'socket', 10, types.datagram, 17],
  [everywhere, errno('EPROTONOSUPPORT'), 'socket', 2, types.stream, 132], // SCTP
  [everywhere, errno('EPROTONOSUPPORT'), 'socket', 2, types.stream, 256], // SMC
  [everywhere, errno('EPROTONOSUPPORT'), 'socket', 2, types.datagram, 1], // ping
  [everywhere, errno('EPROTONOSUPPORT'), 'socket', 2, types.datagram, 115], // L2TP
  [everywhere, allow, 'socket', 16, types.raw, 0],
  [everywhere, errno('EPROTONOSUPPORT'), 'socket', 16, types.raw, 6], // NETLINK_XFRM
  [everywhere, errno('EPROTONOSUPPORT'), 'socket', 16, types.raw, 12], // NETLINK_NETFILTER

  ...[0x5412, 0x541c, 0x5423, 0x541d].flatMap((request): Row[] => [
    [everywhere, errno('EPERM'), 'ioctl', 0, request],
    [everywhere, errno('EPERM'), 'ioctl', 0, BigInt(request) + high],
    [everywhere, errno('EPERM'), 'ioctl', 0, BigInt(request) + high * 0xffff_ffffn],
  ]),
  [everywhere, allow, 'ioctl', 0, 0x5401],
  [everywhere, allow, 'ioctl', 0, 0x5421],
  [['strict'], errno('ENOTTY'), 'ioctl', 0, 0x5430],
  [['default', 'permissive', 'nested'], allow, 'ioctl', 0, 0x5430],

  [everywhere, errno('EPERM'), 'prctl', 35],
  [everywhere, errno('EPERM'), 'prctl', 35n + high],
  [everywhere, errno('EINVAL'), 'prctl', 0x5961_6d61],
  [['strict'], errno('EINVAL'), 'prctl', 22],
  [['default', 'permissive', 'nested'], allow, 'prctl', 22],
  [everywhere, allow, 'prctl', 15],
  [everywhere, allow, 'personality', 0],
  [everywhere, allow, 'personality', 0x2_0000],
  [everywhere, allow, 'personality', 0xffff_ffff],
  [everywhere, errno('EPERM'), 'personality', 0x40_0000],
  [everywhere, errno('EPERM'), 'personality', 0x4_0000],
  ...[0x2000, 0x6000].map((mode): Row => [everywhere, errno('EPERM'), 'mknodat', 0, 0, mode | 0o600]),
  [['default', 'permissive', 'nested'], allow, 'mknodat', 0, 0, 0x1000 | 0o600],

  ...names('shmget semop msgrcv mq_open setxattr landlock_restrict_self io_setup futex_waitv seccomp').map(
    (name): Row => [['strict'], errno('ENOSYS'), name],
  ),
  ...names(
    'shmget semop msgrcv mq_open setxattr landlock_restrict_self io_setup futex_waitv seccomp fchown setuid',
  ).map((name): Row => [['default', 'permissive', 'nested'], allow, name]),
  ...names(
    'rseq set_robust_list membarrier statx close_range faccessat2 epoll_pwait2 pkey_alloc getrandom execve capget',
  ).map((name): Row => [everywhere, allow, name]),
]

const written = ([, , name, ...args]: Row): string =>
  `${name}(${args.map((arg) => `0x${arg.toString(16)}`).join(', ')})`

describe.each(architectureNames.flatMap((arch) => shippedNames.map((level) => [level, arch] as const)))(
  '%s on %s',
  (level, arch) => {
    const { program } = policyAndProgram(shippedText(level), arch)

    test('answers as the table of refusals says', () => {
      const own = rows.filter(([levels]) => levels.includes(level))
      const found = own.map(([, , name, ...args]) => answer(program, arch, name, args))
      const wrong = own.flatMap((row, at) =>
        found[at] === row[1] ? [] : [`${written(row)}: ${found[at]} for ${row[1]}`],
      )
      expect(own.length).toBeGreaterThan(100)
      expect(wrong).toEqual([])
    })

    test('lets no call of another ABI through', () => {
      const own = arch === 'x86_64' ? 0xc000_003e : 0xc000_00b7
      const calls = [0, 1, 20, 39, 59, 172, 512, 547]
      const foreign = [0x4000_0003, 0x4000_0028, arch === 'x86_64' ? 0xc000_00b7 : 0xc000_003e]
      expect(foreign.flatMap((audit) => calls.map((nr) => returned(program, nr, audit)))).toEqual(
        foreign.flatMap(() => calls.map(() => killProcess)),
      )
      expect(calls.map((nr) => returned(program, 0x4000_0000 + nr, own))).toEqual(calls.map(() => errno('ENOSYS')))
      expect(returned(program, 0xffff_ffff, own)).toBe(errno('ENOSYS'))
    })
  },
)

const returned = (program: Program, number: number, audit: number): number =>
  runProgram(program, wordsOf([], number, audit))

test.each(allowLists)('%s answers ENOSYS to calls nobody has invented yet', (level) => {
  const { program } = policyAndProgram(shippedText(level))
  for (const number of [480, 599, 1_000, 9_999]) expect(returned(program, number, 0xc000_003e)).toBe(errno('ENOSYS'))
})
