// A libseccomp that gets a filter wrong: what it made is refused before anything runs under it.
import { describe, expect, test } from 'vitest'
import { compileProfile, policyOf } from '../../../src/seccomp/compileProfile.ts'
import { decodeProgram, opcode, runProgram, wordsOf } from '../../../src/seccomp/interpret.ts'
import { type Libseccomp, loadLibseccomp } from '../../../src/seccomp/libseccomp.ts'
import { findDisagreement } from '../../../src/seccomp/verify.ts'
import { profileText, shippedText, thoroughAttempts } from './shipped.ts'

const allow = 0x7fff_0000
const strict = shippedText('strict')
const permissive = shippedText('permissive')
const source = { file: 'strict.json', arch: 'x86_64' } as const

const weaken = (change: (program: Buffer) => void): Libseccomp => {
  const library = loadLibseccomp()
  return {
    ...library,
    build: (...args) => {
      const program = library.build(...args)
      change(program)
      return program
    },
  }
}

test('a libseccomp that allows what is refused is caught, and named with a call it got wrong', () => {
  const library = weaken((program) => {
    for (let at = 0; at < program.length; at += 8) {
      if (program.readUInt16LE(at) === opcode.return && program.readUInt32LE(at + 4) === 0x0005_0001)
        program.writeUInt32LE(allow, at + 4)
    }
  })
  expect(() => compileProfile(strict, source, library)).toThrow(
    /strict\.json: libseccomp [\d.]+ makes a filter that answers/,
  )
})

test('a libseccomp that looks at the lower half of a value alone is caught (GHSA-4q85-33p6-j5g6 is of that kind)', () => {
  const library = weaken((program) => {
    // Upper halves lie at 20, 28 and so on; whichever way the comparison behind one goes, it now goes the same way.
    for (let at = 0; at + 8 < program.length; at += 8) {
      const isUpperHalf =
        program.readUInt16LE(at) === opcode.load &&
        program.readUInt32LE(at + 4) % 8 === 4 &&
        program.readUInt32LE(at + 4) > 16
      if (isUpperHalf && program.readUInt16LE(at + 8) === opcode.equal)
        program.writeUInt8(program.readUInt8(at + 10), at + 11)
    }
  })
  expect(() => compileProfile(strict, source, library)).toThrow(/makes a filter that answers (socket|personality)\(/)
})

test('a libseccomp that leaves a rule out is caught', () => {
  const library = loadLibseccomp()
  const forgetful: Libseccomp = { ...library, build: (action, rules) => library.build(action, rules.slice(1)) }
  const text = profileText({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [{ names: ['ptrace', 'bpf'], action: 'SCMP_ACT_ERRNO' }],
  })
  expect(() => compileProfile(text, source, forgetful)).toThrow('answers ptrace(')
})

describe('of all programs that differ from the right one in one instruction', () => {
  const policy = policyOf(permissive, source)
  const right = Buffer.from(compileProfile(permissive, source))
  const attempts = [...thoroughAttempts(policy)].map(({ args, number, arch }) => wordsOf(args, number, arch))
  const rightAnswers = attempts.map((words) => runProgram(decodeProgram(right), words))

  /** Whether some call out of very many is answered otherwise. */
  const differs = (bytes: Uint8Array): boolean => {
    const program = decodeProgram(bytes)
    return attempts.some((words, at) => runProgram(program, words) !== rightAnswers[at])
  }

  const changed = (at: number, change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(right)
    change(bytes.subarray(at, at + 8))
    return bytes
  }

  const branches = new Set([opcode.equal, opcode.greater, opcode.notLess])
  const mutations = Array.from({ length: right.length / 8 }, (_, index) => index * 8).flatMap((at) => {
    const code = right.readUInt16LE(at)
    const next = right.readUInt32LE(at + 4) + 1
    if (code === opcode.return) return [changed(at, (bytes) => bytes.writeUInt32LE(allow, 4))]
    if (code === opcode.and) return [changed(at, (bytes) => bytes.writeUInt32LE(right.readUInt32LE(at + 4) >>> 1, 4))]
    if (!branches.has(code)) return []
    return [
      changed(at, (bytes) => bytes.writeUInt32LE(next >>> 0, 4)),
      changed(at, (bytes) => bytes.writeUInt16LE(right.readUInt8(at + 3) * 257, 2)),
      changed(at, (bytes) => bytes.writeUInt16LE(right.readUInt8(at + 2) * 257, 2)),
    ]
  })

  const describeChange = (bytes: Buffer): string => {
    const at = bytes.findIndex((byte, index) => byte !== right[index]) & ~7
    return `${at / 8}: ${right.subarray(at, at + 8).toString('hex')} → ${bytes.subarray(at, at + 8).toString('hex')}`
  }

  test('each that answers any call otherwise is caught', () => {
    let caught = 0
    const missed = mutations.filter((bytes) => {
      const isCaught = findDisagreement(policy, decodeProgram(bytes)) !== undefined
      caught += isCaught ? 1 : 0
      return !isCaught && differs(bytes)
    })
    expect(caught).toBeGreaterThan(400)
    expect(missed.map(describeChange)).toEqual([])
  }, 60_000)
})
