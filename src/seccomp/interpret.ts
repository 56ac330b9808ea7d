// Runs a seccomp filter as the kernel would, so that what libseccomp made can be held against what the profile says before
// anything depends on it. Knows only the instructions libseccomp uses; any other is refused, never skipped.
// Classic BPF as in Documentation/networking/filter.rst, and the data it sees as in struct seccomp_data of linux/seccomp.h.
import type { Attempt } from './policy.ts'

/** BPF_MAXINSNS of linux/bpf_common.h. */
export const mostInstructions = 4096
export const instructionBytes = 8

export interface Program {
  readonly code: Uint16Array
  readonly ifTrue: Uint8Array
  readonly ifFalse: Uint8Array
  readonly constant: Uint32Array
}

/** Instructions of a program in the kernel's own form (struct sock_filter[], little endian). */
export const decodeProgram = (bytes: Uint8Array): Program => {
  const length = bytes.length / instructionBytes
  if (!Number.isInteger(length) || length === 0 || length > mostInstructions) {
    throw new Error(`a filter of ${bytes.length} bytes is none the kernel takes`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const each = Array.from({ length }, (_, at) => at * instructionBytes)
  return {
    code: Uint16Array.from(each, (at) => view.getUint16(at, true)),
    ifTrue: Uint8Array.from(each, (at) => view.getUint8(at + 2)),
    ifFalse: Uint8Array.from(each, (at) => view.getUint8(at + 3)),
    constant: Uint32Array.from(each, (at) => view.getUint32(at + 4, true)),
  }
}

export const opcode = {
  load: 0x20,
  and: 0x54,
  jump: 0x05,
  equal: 0x15,
  greater: 0x25,
  notLess: 0x35,
  anyBit: 0x45,
  return: 0x06,
}

/** struct seccomp_data as 32-bit words: number, architecture, two of the instruction pointer, two for each argument. */
export const wordsOf = (args: Attempt['args'], number = 0, arch = 0): Uint32Array => {
  const words = Uint32Array.of(number, arch, ...Array<number>(14).fill(0))
  for (const [index, argument] of args.entries()) {
    words[4 + 2 * index] = Number(argument & 0xffff_ffffn)
    words[5 + 2 * index] = Number(argument >> 32n)
  }
  return words
}

const { load, and, jump, equal, greater, notLess, anyBit, return: end } = opcode

/** What the filter returns for a call. Written for speed: it runs thousands of times before a service may start. */
export const runProgram = ({ code, ifTrue, ifFalse, constant }: Program, words: Uint32Array): number => {
  let accumulator = 0
  for (let at = 0; at < code.length; at += 1) {
    const kind = code[at]
    const k = constant[at] ?? 0
    if (kind === equal) at += (accumulator === k ? ifTrue[at] : ifFalse[at]) ?? 0
    else if (kind === greater) at += (accumulator > k ? ifTrue[at] : ifFalse[at]) ?? 0
    else if (kind === notLess) at += (accumulator >= k ? ifTrue[at] : ifFalse[at]) ?? 0
    else if (kind === load) accumulator = wordAt(words, k, at)
    else if (kind === jump) at += k
    else if (kind === end) return k
    else if (kind === and) accumulator = (accumulator & k) >>> 0
    else if (kind === anyBit) at += ((accumulator & k) !== 0 ? ifTrue[at] : ifFalse[at]) ?? 0
    else throw new Error(`instruction ${at} has code ${kind}, which no filter of ours needs`)
  }
  throw new Error('the filter ends without an answer')
}

const wordAt = (words: Uint32Array, offset: number, at: number): number => {
  const word = words[offset / 4]
  if (word === undefined) throw new Error(`instruction ${at} loads from ${offset}, which the kernel refuses`)
  return word
}
