// What is exchanged with the kernel about quotas, byte for byte: which kernel can keep one is another matter (test/vm).
import { closeSync, openSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  limitsOf,
  membershipOf,
  quotaOf,
  quotaState,
  stateOf,
  withMembership,
} from '../../../src/launcher/libc/quota.ts'
import { isSameStored, quotaKindOf, storedOf } from '../../../src/launcher/storage/stored.ts'
import { quotaSupport } from '../../../src/launcher/storage/support.ts'
import { testAsRoot, testAsUser } from '../../helpers/root.ts'

const mebibyte = 1024 ** 2

describe('struct if_dqblk (linux/quota.h)', () => {
  test('hard limits are written in blocks of 1024 bytes, rounded down, with no soft ones, and nothing else is meant', () => {
    const written = limitsOf({ maxBytes: 3 * mebibyte + 1_023, maxFiles: 10_000 })
    expect(written.length).toBe(72)
    const numbers = Array.from({ length: 8 }, (_, index) => Number(written.readBigUInt64LE(8 * index)))
    expect(numbers).toEqual([3_072, 0, 0, 10_000, 0, 0, 0, 0])
    expect(written.readUInt32LE(64)).toBe(0b101) // QIF_BLIMITS | QIF_ILIMITS
  })

  test('what was used is read in bytes, whatever the limits are counted in', () => {
    const told = limitsOf({ maxBytes: 5 * 2 ** 40, maxFiles: 7 })
    told.writeBigUInt64LE(4_097n, 16)
    told.writeBigUInt64LE(6n, 40)
    expect(quotaOf(told)).toEqual({ maxBytes: 5 * 2 ** 40, maxFiles: 7, bytes: 4_097, files: 6 })
  })
})

describe('struct fsxattr (linux/fs.h)', () => {
  const found = Buffer.alloc(28)
  found.writeUInt32LE((0x80000000 | 0x8) >>> 0, 0) // FS_XFLAG_HASATTR | FS_XFLAG_IMMUTABLE
  found.writeUInt32LE(4_096, 4)
  found.writeUInt32LE(12, 16)

  test('a project is written beside the attributes that a file has, and read back', () => {
    const directory = withMembership(found, { project: 4_000_000_000, isInherited: true })
    expect(membershipOf(directory)).toEqual({ project: 4_000_000_000, isInherited: true })
    expect(directory.readUInt32LE(0)).toBe((0x80000000 | 0x8 | 0x200) >>> 0)
    expect([directory.readUInt32LE(4), directory.readUInt32LE(16)]).toEqual([4_096, 12])
  })

  test('what is no longer to be handed down is not', () => {
    const handedDown = withMembership(found, { project: 7, isInherited: true })
    const file = withMembership(handedDown, { project: 7, isInherited: false })
    expect(membershipOf(file)).toEqual({ project: 7, isInherited: false })
    expect(file.readUInt32LE(0)).toBe(found.readUInt32LE(0))
  })
})

test.each([
  [0x00, 'off'],
  [0x0f, 'off'], // those of users and groups
  [0x10, 'counted'],
  [0x30, 'enforced'],
  [0x20, 'off'], // limits without counting are none
])('flags 0x%s of struct fs_quota_statv mean that project quotas are %s', (flags, state) => {
  const told = Buffer.alloc(200)
  told.writeUInt16LE(flags, 2)
  expect(stateOf(told)).toBe(state)
})

describe('a file system without quotas', () => {
  test('says that it keeps none', () => {
    const fd = openSync('/proc', 'r')
    expect(quotaState(fd)).toBe('off')
    closeSync(fd)
  })

  testAsRoot('is told with its name, and where the data would be kept instead', () => {
    expect(quotaSupport('/proc/not/there')).toEqual({
      isKept: false,
      reason: 'proc at "/proc" keeps no project quotas',
      fix: 'keep the data on ext4 or xfs, mounted with prjquota',
    })
  })

  testAsUser('is not even asked: only root could hold anybody to quotas', () => {
    expect(quotaSupport('/proc')).toMatchObject({ isKept: false, reason: 'only root can hold instances to quotas' })
  })
})

describe('what is told of a run', () => {
  const counted = { bytes: mebibyte, files: 5, maxBytes: 2 * mebibyte, maxFiles: 10_000 }

  test('it is full where the last blocks or the last inode are taken', () => {
    const isFull = (differences: object) => storedOf({ ...counted, ...differences }, 'enforced', 10_000).isFull
    expect(isFull({})).toBe(false)
    expect(isFull({ bytes: 2 * mebibyte - 1_024 })).toBe(true)
    expect(isFull({ bytes: 2 * mebibyte - 16_384 })).toBe(false)
    expect(isFull({ files: 10_000 })).toBe(true)
    expect(isFull({ files: 9_999 })).toBe(false)
  })

  test('how long a look took is no news, and a further byte is', () => {
    const told = storedOf(counted, 'absent', 10_001)
    expect(told.reactsWithinMs).toBe(11_000)
    expect(isSameStored(told, storedOf(counted, 'absent', 10_950))).toBe(true)
    expect(isSameStored(told, storedOf({ ...counted, bytes: 1 }, 'absent', 10_001))).toBe(false)
    expect(isSameStored(undefined, told)).toBe(false)
  })

  test('only whoever was found in a user namespace of its own is said to be held', () => {
    const expecting = (...namespaces: ('user' | 'pid')[]) => ({
      expect: { namespaces, innerUid: 1, innerGid: 1, mounts: {}, isFiltered: true, descriptors: [] },
    })
    expect(quotaKindOf(expecting('pid', 'user'), true)).toBe('enforced')
    expect(quotaKindOf(expecting('pid'), true)).toBe('escapable')
    expect(quotaKindOf({}, true)).toBe('escapable')
    expect(quotaKindOf(expecting('user'), false)).toBe('absent')
  })
})
