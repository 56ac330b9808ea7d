// System calls made by number, as hostile code makes them: past the C library and past whatever Node would refuse by itself.
// The only file of the attacks that knows koffi. Each call returns what the kernel did or throws Refused with its errno; none
// of them keeps state. Knows nothing of rows.
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import koffi from 'koffi'
import { NotHere, Refused } from './attempt.ts'

const libc = koffi.load('libc.so.6')
const syscall = libc.func('long syscall(long number, void *a, void *b, void *c, void *d, void *e, void *f)')
const memcpy = libc.func('void *memcpy(void *to, void *from, size_t bytes)')
const mmap = libc.func('void *mmap(void *at, size_t bytes, int protection, int flags, int fd, long offset)')

/** Numbers by name on x86_64 and on aarch64 (asm/unistd_64.h, asm-generic/unistd.h); `npm test` compares them with libseccomp's. */
export const numbers = {
  add_key: [248, 217],
  adjtimex: [159, 171],
  bind: [49, 200],
  bpf: [321, 280],
  chroot: [161, 51],
  clock_settime: [227, 112],
  clone: [56, 220],
  clone3: [435, 435],
  close: [3, 57],
  connect: [42, 203],
  fsopen: [430, 430],
  getsockopt: [55, 209],
  inotify_init1: [294, 26],
  io_uring_setup: [425, 425],
  ioctl: [16, 29],
  keyctl: [250, 219],
  kill: [62, 129],
  mknodat: [259, 33],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  mq_open: [240, 180],
  mq_unlink: [241, 181],
  msgctl: [71, 187],
  msgget: [68, 186],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  openat: [257, 56],
  perf_event_open: [298, 241],
  personality: [135, 92],
  pidfd_getfd: [438, 438],
  pidfd_open: [434, 434],
  pivot_root: [155, 41],
  prctl: [157, 167],
  prlimit64: [302, 261],
  process_vm_readv: [310, 270],
  ptrace: [101, 117],
  recvfrom: [45, 207],
  renameat2: [316, 276],
  request_key: [249, 218],
  sched_setattr: [314, 274],
  sched_setscheduler: [144, 119],
  semctl: [66, 191],
  semget: [64, 190],
  sendmsg: [46, 211],
  sendto: [44, 206],
  setdomainname: [171, 162],
  sethostname: [170, 161],
  setns: [308, 268],
  setpriority: [141, 140],
  setsockopt: [54, 208],
  shmat: [30, 196],
  shmctl: [31, 195],
  shmget: [29, 194],
  socket: [41, 198],
  splice: [275, 76],
  syslog: [103, 116],
  umount2: [166, 39],
  unshare: [272, 97],
  userfaultfd: [323, 282],
  wait4: [61, 260],
} as const

export type Call = keyof typeof numbers
export type Argument = number | bigint | Uint8Array | string | null

const column = process.arch === 'arm64' ? 1 : 0

const passed = (argument: Argument): bigint | Uint8Array | null => {
  if (typeof argument === 'string') return Buffer.from(`${argument}\0`)
  return typeof argument === 'number' ? BigInt.asUintN(64, BigInt(argument)) : argument
}

/** Makes the call of this number; throws Refused with the name of the errno. */
export const callNumber = (number: number, ...args: readonly Argument[]): number => {
  const [a, b, c, d, e, f] = [...args, ...Array<null>(6).fill(null)].map(passed)
  const result = Number(syscall(number, a, b, c, d, e, f))
  if (result !== -1) return result
  throw new Refused(errnoName(koffi.errno()))
}

const errnoName = (errno: number): string => getSystemErrorMap().get(-errno)?.[0] ?? `errno ${errno}`

export const call = (name: Call, ...args: readonly Argument[]): number => callNumber(numbers[name][column], ...args)

/** The address of bytes that stay where they are for as long as the caller keeps them. */
export const addressOf = (bytes: Uint8Array): bigint => koffi.address(bytes)

/** Reads memory of this process. */
export const bytesAt = (address: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length)
  memcpy(bytes, BigInt(address), length)
  return bytes
}

/** Writes memory of this process. */
export const writeAt = (address: number, bytes: Uint8Array): void => {
  memcpy(BigInt(address), bytes, bytes.length)
}

/**
 * Starts a process by clone or clone3 with these flags, and waits for its end. Its stack holds nothing to return to, so it
 * dies at its first instruction and runs none of ours: what counts is that the kernel made it.
 */
export const makeProcess = (name: 'clone' | 'clone3', flags: number): void => {
  const stack = Buffer.alloc(65_536)
  const childSignal = 17n
  const pid =
    name === 'clone'
      ? call('clone', BigInt(flags) | childSignal, addressOf(stack) + 32_768n)
      : call('clone3', cloneArguments(BigInt(flags), childSignal, stack), 88)
  call('wait4', pid, Buffer.alloc(4), 0, null)
}

/** The same by clone without flags, and nobody waits for it: it keeps its number until its parent ends. */
export const leaveProcess = (): number => {
  const stack = Buffer.alloc(65_536)
  return call('clone', 17, addressOf(stack) + 32_768n)
}

/** struct clone_args (clone(2)). */
const cloneArguments = (flags: bigint, signal: bigint, stack: Uint8Array): Buffer => {
  const bytes = Buffer.alloc(88)
  bytes.writeBigUInt64LE(flags, 0)
  bytes.writeBigUInt64LE(signal, 32)
  bytes.writeBigUInt64LE(addressOf(stack), 40)
  bytes.writeBigUInt64LE(32_768n, 48)
  return bytes
}

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** clone(SIGCHLD); returns to the parent with the pid, and goes on in the child with what comes after. */
const fork = hex('b838000000 bf11000000 31f6 31d2 4d31d2 4d31c0 0f05 85c0 7401 c3')
/** exit_group with the errno in eax, and with 0 where there is none. */
const exitWithErrno = hex('89c7 f7df 85c0 7802 31ff b8e7000000 0f05')

/**
 * Executes machine code of x86_64 that leaves an answer in eax, in a process of its own with one thread: a filter may kill the thread
 * that calls, and a process of which only the first thread is gone neither answers nor ends (seccomp(2), SECCOMP_RET_KILL_THREAD).
 * Throws Refused with the signal that ended it, or with the name of the errno.
 */
const runAlone = (code: Uint8Array): void => {
  const pid = runMachineCode(Buffer.concat([fork, code, exitWithErrno]))
  if (pid < 0) throw new Refused(errnoName(-pid))
  const status = Buffer.alloc(4)
  call('wait4', pid, status, 0, null)
  // As wait(2) lays it out: the signal in the lower byte, the exit code in the next.
  const [signal, errno] = [status.readUInt8(0) & 0x7f, status.readUInt8(1)]
  if (signal !== 0) throw new Refused(signalName(signal))
  if (errno !== 0) throw new Refused(errnoName(errno))
}

/** Makes the call without arguments; throws as above. */
export const callAlone = (number: number): void => {
  if (process.arch !== 'x64') return void callNumber(number)
  // mov eax, number; syscall
  const code = hex('b800000000 0f05')
  new DataView(code.buffer, code.byteOffset).setInt32(1, number | 0, true)
  runAlone(code)
}

/** The same by the gate of 32-bit programs. */
export const callAs32Bit = (number: number): void => {
  // mov eax, number; int 0x80
  const code = hex('b800000000 cd80')
  new DataView(code.buffer, code.byteOffset).setInt32(1, number, true)
  runAlone(code)
}

const signalName = (number: number): string =>
  Object.entries(constants.signals).find(([, each]) => each === number)?.[0] ?? `signal ${number}`

// Without a name: koffi keeps names for the whole process, and whoever tests plug-ins may load this twice in one.
const machineCode = koffi.proto('long', [])

/** Executes machine code of x86_64 and returns what it left in rax. */
export const runMachineCode = (code: Uint8Array): number => {
  if (process.arch !== 'x64') throw new NotHere('only x86_64 has this entry into the kernel')
  // PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS
  const page = mmap(null, 4_096, 7, 0x22, -1, 0)
  memcpy(page, code, code.length)
  return Number(koffi.call(page, machineCode))
}
