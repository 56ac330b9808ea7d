// Calls and other ways into the kernel that no server needs and that faults of the kernel were reached by.
import { closeSync, constants, openSync, readFileSync } from 'node:fs'
import { type Attack, NotHere } from '../attempt.ts'
import { inChild } from '../child.ts'
import { addressOf, call, callAlone, callAs32Bit, callNumber } from '../kernel.ts'
import type { Targets } from '../targets.ts'
import { addressFamily, socketType } from './sockets.ts'

const { raw, sequenced, datagram, stream } = socketType

/** Families and protocols by which faults of the kernel were reached: socket(2), address_families(7), netlink(7). */
const families = {
  AF_ALG: [38, sequenced, 0],
  AF_VSOCK: [40, stream, 0],
  AF_PACKET: [addressFamily.packet, raw, 0],
  AF_KEY: [15, raw, 2],
  AF_RXRPC: [33, datagram, addressFamily.inet],
  AF_BLUETOOTH: [31, raw, 1],
  AF_SMC: [43, stream, 0],
  AF_CAN: [29, raw, 1],
  AF_TIPC: [30, sequenced, 0],
  NETLINK_XFRM: [addressFamily.netlink, raw, 6],
  NETLINK_NETFILTER: [addressFamily.netlink, raw, 12],
  NETLINK_AUDIT: [addressFamily.netlink, raw, 9],
  NETLINK_GENERIC: [addressFamily.netlink, raw, 16],
} as const

/** The bit that makes a number one of x32, another architecture to a filter (syscalls(2), seccomp(2)). */
const x32 = 0x4000_0000

export const syscalls = ({ machine }: Targets): readonly Attack[] => [
  {
    row: '32',
    attempts: { 'make an io_uring': () => closeSync(call('io_uring_setup', 8, Buffer.alloc(120))) },
    twin: ['wait by other means', ownStatistics],
  },
  {
    row: '33',
    attempts: {
      'load a BPF program': () => closeSync(loadProgram()),
      'watch the performance of the machine': () => closeSync(call('perf_event_open', perfAttributes(), 0, -1, -1, 0)),
      'handle page faults itself': () => closeSync(call('userfaultfd', 1)),
    },
    twin: ['read its own statistics', ownStatistics],
  },
  {
    row: '34',
    attempts: {
      'add a key': () => call('add_key', 'user', 'tenement-attack', Buffer.from('x'), 1, -2),
      'ask for a key': () => call('request_key', 'user', 'tenement-attack', null, 0),
      'join a session keyring': () => call('keyctl', 1, null),
      'describe the keyring of its user': () => call('keyctl', 6, -4, Buffer.alloc(256), 256),
    },
    twin: ['keep something in a file', ownStatistics],
  },
  {
    row: '34.read',
    attempts: { 'read a key of the machine that everybody may read': () => readKey(machine.key) },
    twin: ['read its own', ownStatistics],
  },
  {
    row: '35',
    attempts: Object.fromEntries(
      Object.entries(families).map(([name, [family, type, protocol]]) => [
        `open a socket of ${name}`,
        () => closeSync(call('socket', family, type, protocol)),
      ]),
    ),
    twin: [
      'open sockets of the families that servers use',
      () => {
        for (const family of [addressFamily.unix, addressFamily.inet, addressFamily.inet6])
          closeSync(call('socket', family, stream, 0))
        closeSync(call('socket', addressFamily.netlink, raw, 0))
      },
    ],
  },
  {
    row: '36',
    attempts: { 'have the kernel encrypt in place what it only reads': () => bindAlgorithm() },
    twin: ['open a unix socket', () => closeSync(call('socket', addressFamily.unix, stream, 0))],
  },
  {
    row: '37',
    attempts: {
      'enter the kernel as a 32-bit program': () => callAs32Bit(20), // getpid
      'enter the kernel as an x32 program': () => callAlone(x32 + 39), // getpid
      'make the last call of x32': () => callAlone(x32 + 0x3fff_ffff),
      ...Object.fromEntries([512, 520, 546].map((number) => [`make call ${number}`, () => callAlone(number)])),
    },
    twin: ['enter the kernel as it should', () => inChild('native')],
  },
  {
    row: '38',
    attempts: Object.fromEntries(
      [9_999, x32 - 1, -1].map((number) => [`make call ${number}`, () => callAlone(number)]),
    ),
    twin: ['make a call that there is', () => inChild('native')],
  },
  {
    row: '39',
    attempts: { 'get another answer from the vsyscall page than from the call': () => inChild('vsyscall') },
    twin: ['ask for the time', () => Date.now()],
  },
  {
    row: '76',
    attempts: {
      'have all that can be read executed too': () => changePersonality(0x040_0000),
      'have its addresses foretold': () => changePersonality(0x004_0000),
      'make segments of its own': () => {
        if (process.arch !== 'x64') throw new NotHere('only x86_64 has them')
        callNumber(modifyLdt, 1, Buffer.alloc(16), 16)
      },
    },
    twin: ['ask which personality it has', () => call('personality', 0xffff_ffff)],
  },
  // What it adds stays, and lets everything through.
  {
    row: '77',
    attempts: {
      'gain privileges by programs again': () => call('prctl', 38, 0, 0, 0, 0),
      'get past its filter by one of its own': () => {
        call('prctl', 22, 2, filterProgram(), 0, 0)
        closeSync(call('io_uring_setup', 8, Buffer.alloc(120)))
      },
    },
    twin: ['read its own statistics', ownStatistics],
  },
  {
    row: '67',
    attempts: {
      'read the log of the kernel': () => call('syslog', 3, Buffer.alloc(4_096), 4_096),
      'open /proc/kmsg': () => closeSync(openSync('/proc/kmsg', constants.O_RDONLY | constants.O_NONBLOCK)),
      'open /dev/kmsg': () => closeSync(openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK)),
    },
    twin: ['read its own statistics', ownStatistics],
  },
]

/** READ_IMPLIES_EXEC, ADDR_NO_RANDOMIZE (personality(2)); what it was is put back. */
const changePersonality = (flag: number): void => {
  const before = call('personality', 0xffff_ffff)
  call('personality', before | flag)
  call('personality', before)
}

/** modify_ldt of x86_64 (asm/unistd_64.h). */
const modifyLdt = 154

/** SECCOMP_RET_ALLOW for everything, as struct sock_fprog (seccomp(2)). Both stay where they are: the kernel copies them. */
const allowAll = Buffer.from([0x06, 0, 0, 0, 0, 0, 0xff, 0x7f])
const filterProgram = (): Buffer => {
  const program = Buffer.alloc(16)
  program.writeUInt16LE(1, 0)
  program.writeBigUInt64LE(addressOf(allowAll), 8)
  return program
}

const ownStatistics = (): void => void readFileSync('/proc/self/stat')

/** `return 0`, as a filter of sockets, which needs the least rights (bpf(2), BPF_PROG_LOAD). */
const loadProgram = (): number => {
  const program = Buffer.from('b700000000000000' + '9500000000000000', 'hex')
  const license = Buffer.from('GPL\0')
  const attributes = Buffer.alloc(128)
  attributes.writeUInt32LE(1, 0)
  attributes.writeUInt32LE(2, 4)
  attributes.writeBigUInt64LE(addressOf(program), 8)
  attributes.writeBigUInt64LE(addressOf(license), 16)
  return call('bpf', 5, attributes, attributes.length)
}

/** struct perf_event_attr: the processor time of this process, outside of the kernel (perf_event_open(2)). */
const perfAttributes = (): Buffer => {
  const attributes = Buffer.alloc(112)
  attributes.writeUInt32LE(1, 0)
  attributes.writeUInt32LE(112, 4)
  attributes.writeUInt32LE(0b110_0000, 40) // exclude_kernel, exclude_hv
  return attributes
}

const readKey = (key: number | undefined): string => {
  if (key === undefined) throw new NotHere('nobody could make such a key')
  const content = Buffer.alloc(64)
  return content.toString('latin1', 0, call('keyctl', 11, key, content, content.length))
}

/** How CVE-2026-31431 began: an AEAD of the kernel's that writes into the pages it is given to read. */
const bindAlgorithm = (): void => {
  const fd = call('socket', families.AF_ALG[0], sequenced, 0)
  const address = Buffer.alloc(88)
  address.writeUInt16LE(families.AF_ALG[0], 0)
  address.write('aead', 2)
  address.write('authencesn(hmac(sha256),cbc(aes))', 24)
  try {
    call('bind', fd, address, address.length)
  } finally {
    closeSync(fd)
  }
}
