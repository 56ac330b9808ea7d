// libseccomp, and the only file of this part that knows koffi. It is loaded when the first filter is needed, because a machine
// whose services name no profile needs no libseccomp. Builds by number for the machine's own architecture; whose number that
// is, it does not know. Every return code is checked: a rule that is left out silently is a hole.
import { closeSync, fstatSync, readSync } from 'node:fs'
import koffi from 'koffi'
import { messageOf, TenementError } from '../errors.ts'
import { openMemoryFile } from '../launcher/libc.ts'
import type { Architecture } from './architectures.ts'
import type { Condition, Operator } from './conditions.ts'
import { newCallNamed, type Resolved, resolveNewCall } from './newCalls.ts'

/** A rule as libseccomp takes it; `action` is what the filter returns. */
export interface NumberedRule {
  readonly number: number
  readonly action: number
  readonly conditions: readonly Condition[]
}

export interface Libseccomp {
  /** '2.5.4' */
  readonly version: string
  /** The architecture it builds for. */
  readonly nativeAudit: number
  resolve(name: string, architecture: Architecture): Resolved
  nameOf(number: number, architecture: Architecture): string | undefined
  /** A filter (struct sock_filter[]) with these rules. Throws TenementError where libseccomp refuses one. */
  build(defaultAction: number, rules: readonly NumberedRule[]): Buffer
}

/** enum scmp_compare of seccomp.h */
const comparisons: Readonly<Record<Operator, number>> = { NE: 1, LT: 2, LE: 3, EQ: 4, GE: 5, GT: 6, MASKED_EQ: 7 }

/** SCMP_FLTATR_CTL_OPTIMIZE: 2 finds a call in a balanced tree instead of passing all before it; since 2.5.0. */
const optimize = { attribute: 8, balancedTree: 2 }

const fileName = 'libseccomp.so.2'

const bindFunctions = () => {
  const library = koffi.load(fileName)
  const text = koffi.disposable('seccomp_text', 'str', koffi.load('libc.so.6').func('void free(void *text)'))
  return {
    version: library.func('const void *seccomp_version()'),
    archNative: library.func('uint32_t seccomp_arch_native()'),
    resolveName: library.func('int seccomp_syscall_resolve_name_arch(uint32_t arch, const char *name)'),
    resolveNumber: library.func('seccomp_syscall_resolve_num_arch', text, ['uint32_t', 'int']),
    init: library.func('void *seccomp_init(uint32_t action)'),
    setAttribute: library.func('int seccomp_attr_set(void *filter, int attribute, uint32_t value)'),
    addRule: library.func(
      'int seccomp_rule_add_exact_array(void *filter, uint32_t action, int number, unsigned int count, const void *conditions)',
    ),
    exportBpf: library.func('int seccomp_export_bpf(const void *filter, int fd)'),
    release: library.func('void seccomp_release(void *filter)'),
  }
}

type Functions = ReturnType<typeof bindFunctions>

const bindOrExplain = (): Functions => {
  try {
    return bindFunctions()
  } catch (error) {
    throw new TenementError(
      'unsupported_machine',
      `${fileName}, which makes seccomp filters, cannot be loaded: ${messageOf(error)}`,
      {
        fix: 'install it: apt-get install libseccomp2, or dnf install libseccomp',
        cause: error,
      },
    )
  }
}

const checked = (call: string, result: number): void => {
  if (result < 0) throw new TenementError('internal', `libseccomp: ${call} failed with errno ${-result}`)
}

/** struct scmp_arg_cmp[]: argument, operator, and two values, whose first is the mask of MASKED_EQ. */
const encode = (conditions: readonly Condition[]): Buffer => {
  const bytes = Buffer.alloc(24 * conditions.length)
  for (const [at, { index, operator, value, mask }] of conditions.entries()) {
    bytes.writeUInt32LE(index, at * 24)
    bytes.writeUInt32LE(comparisons[operator], at * 24 + 4)
    bytes.writeBigUInt64LE(operator === 'MASKED_EQ' ? mask : value, at * 24 + 8)
    bytes.writeBigUInt64LE(operator === 'MASKED_EQ' ? value : 0n, at * 24 + 16)
  }
  return bytes
}

/** seccomp_export_bpf writes to a descriptor; the function that writes to memory came with 2.6.0. */
const exported = (c: Functions, filter: unknown): Buffer => {
  const fd = openMemoryFile('seccomp-filter')
  try {
    checked('seccomp_export_bpf', c.exportBpf(filter, fd))
    const program = Buffer.alloc(fstatSync(fd).size)
    for (let at = 0; at < program.length; ) at += readSync(fd, program, at, program.length - at, at)
    return program
  } finally {
    closeSync(fd)
  }
}

const buildWith = (c: Functions, defaultAction: number, rules: readonly NumberedRule[]): Buffer => {
  const filter: unknown = c.init(defaultAction)
  if (filter === null) throw new TenementError('internal', `libseccomp: seccomp_init(${defaultAction}) failed`)
  try {
    checked(
      'seccomp_attr_set, which needs libseccomp 2.5,',
      c.setAttribute(filter, optimize.attribute, optimize.balancedTree),
    )
    for (const { action, number, conditions } of rules) {
      const result = c.addRule(filter, action, number, conditions.length, encode(conditions))
      checked(`the rule for call ${number} with ${conditions.length} conditions`, result)
    }
    return exported(c, filter)
  } finally {
    c.release(filter)
  }
}

/** What libseccomp says of a name: a number, below -1 where other architectures have it, -1 where it knows no such name. */
const resolveWith = (c: Functions, name: string, { audit, name: own }: Architecture): Resolved => {
  // What follows a NUL would be cut off on the way to C, and the rest be taken for the name.
  if (!/^\w+$/.test(name)) return undefined
  const number: number = c.resolveName(audit, name)
  if (number >= 0) return number
  // An older libseccomp may know of a call and not that this architecture has it by now.
  return resolveNewCall(name, own) ?? (number < -1 ? 'elsewhere' : undefined)
}

let loaded: Libseccomp | undefined

/** The installed libseccomp; throws TenementError with the fix where there is none. */
export const loadLibseccomp = (): Libseccomp => {
  loaded ??= fromFunctions(bindOrExplain())
  return loaded
}

const fromFunctions = (c: Functions): Libseccomp => {
  const version: readonly number[] = koffi.decode(c.version(), koffi.array('uint32_t', 3, 'Array'))
  return {
    version: version.join('.'),
    nativeAudit: c.archNative(),
    resolve: (name, architecture) => resolveWith(c, name, architecture),
    nameOf: (number, architecture) =>
      c.resolveNumber(architecture.audit, number) ?? newCallNamed(number, architecture.name),
    build: (defaultAction, rules) => buildWith(c, defaultAction, rules),
  }
}
