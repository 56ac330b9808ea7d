// node restrict.js [--write FOLDER]... -- PROGRAM [ARGUMENT]...: lays Landlock's rules upon itself and becomes the program. Rules hold
// for the thread that asks for them and for what it executes (landlock(7)); execve ends all other threads of Node, so nothing that
// is without them is left. Fails closed: without each of the rules nothing is executed.
import { endianness } from 'node:os'
import koffi from 'koffi'

// linux/landlock.h. The numbers of these system calls are the same on every architecture (except alpha).
const createRuleset = 444
const addRule = 445
const restrictSelf = 446
const versionFlag = 1
const pathBeneath = 1
/** Linux 6.12: signals and abstract sockets are scoped from then on. */
const neededAbi = 6

const access = {
  writeFile: 1n << 1n,
  ioctlDevice: 1n << 15n,
}
/** Writing, making and removing of every kind, linking elsewhere, cutting: bits 1, 4 to 14. */
const change = access.writeFile | (((1n << 15n) - 1n) & ~((1n << 4n) - 1n))
const handled = change | access.ioctlDevice
/** Abstract unix sockets and signals reach nobody who is not under these very rules. */
const scoped = 0b11n

// What every program expects to write to, and what tells nobody anything.
const devices = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom']
// A terminal of its own: one of others is theirs alone to open.
const terminals = ['/dev/tty', '/dev/ptmx', '/dev/pts']

const isLittleEndian = endianness() === 'LE'

const libc = koffi.load(null)
const syscall = libc.func('long syscall(long number, ...)')
const open = libc.func('int open(const char *path, int flags)')
const execve = libc.func('int execve(const char *path, const char **argv, const char **envp)')
const prctl = libc.func('int prctl(int option, unsigned long, unsigned long, unsigned long, unsigned long)')
const signal = libc.func('void *signal(int number, intptr_t handler)')
const fcntl = libc.func('int fcntl(int fd, int command, int flags)')
const errorText = libc.func('const char *strerror(int number)')

const pathOnly = 0x200000 | 0x80000 // O_PATH | O_CLOEXEC
const setNoNewPrivileges = 38
const brokenPipe = 13
const setDescriptorFlags = 2 // F_SETFD

/** @param {number} result @param {string} what */
const must = (result, what) => {
  if (result >= 0) return result
  console.error(`${what}: ${errorText(koffi.errno())}`)
  process.exit(126)
}

/** @param {bigint[]} parts 64 bits each */
const struct = (parts) => Buffer.from(new BigUint64Array(parts).buffer)

/** @param {number} ruleset @param {string} path @param {bigint} allowed */
const allow = (ruleset, path, allowed) => {
  const fd = must(open(path, pathOnly), `open ${path}`)
  const rule = struct([allowed, 0n]).subarray(0, 12) // struct landlock_path_beneath_attr is packed
  new DataView(rule.buffer).setInt32(8, fd, isLittleEndian)
  must(syscall(addRule, 'int', ruleset, 'int', pathBeneath, 'void *', rule, 'uint32', 0), `allow ${path}`)
}

/** @param {readonly string[]} writable */
const restrict = (writable) => {
  const abi = must(
    syscall(createRuleset, 'void *', null, 'size_t', 0, 'uint32', versionFlag),
    'no Landlock in this kernel',
  )
  if (abi < neededAbi) must(-1, `Landlock's ABI is ${abi} here, and ${neededAbi} is needed`)
  const attributes = struct([handled, 0n, scoped]) // struct landlock_ruleset_attr: files, network, scope
  const ruleset = must(
    syscall(createRuleset, 'void *', attributes, 'size_t', attributes.length, 'uint32', 0),
    'make rules',
  )
  for (const path of writable) allow(ruleset, path, change)
  for (const path of [...devices, ...terminals]) allow(ruleset, path, access.writeFile | access.ioctlDevice)
  must(prctl(setNoNewPrivileges, 1, 0, 0, 0), 'forgo new privileges')
  must(syscall(restrictSelf, 'int', ruleset, 'uint32', 0), 'lay the rules upon itself')
}

const [, , ...words] = process.argv
const end = words.indexOf('--')
const writable = words.slice(0, end).filter((_, index) => index % 2 === 1)
const [program = '', ...rest] = words.slice(end + 1)

restrict(writable)
signal(brokenPipe, 0) // Node ignores it, and what is ignored stays so across execve (signal(7)); SIG_DFL is 0
// Node has closed all of them upon execve (uv_disable_stdio_inheritance); the rest, its own, stay so.
for (const fd of process.env.LISTEN_FDS === undefined ? [0, 1, 2] : [0, 1, 2, 3])
  must(fcntl(fd, setDescriptorFlags, 0), `keep descriptor ${fd}`)
const environment = Object.entries(process.env).map(([name, value]) => `${name}=${value}`)
execve(program, [program, ...rest, null], [...environment, null])
must(-1, `execute ${program}`)
