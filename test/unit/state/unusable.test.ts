// Each way in which the state database cannot be used, brought about for real.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { openState } from '../../../src/state/state.ts'
import { temporaryFolder } from './folder.ts'

const isRoot = process.getuid?.() === 0

const unusable = (file: string, what: string) =>
  expect.objectContaining({
    code: 'state_unusable',
    message: expect.stringMatching(new RegExp(`"${file}": .*${what}`)),
    fix: expect.stringMatching(/./),
  })

/** A folder that holds a state database with some content. */
const used = (): { directory: string; file: string } => {
  const directory = temporaryFolder()
  const state = openState(directory)
  for (let id = 0; id < 200; id += 1) state.addInstance(`notes:tenant-${id}`)
  state.close()
  return { directory, file: join(directory, 'state.db') }
}

/** Mounts something on a folder for the length of the test; undefined where that is not allowed. */
const mounted = (...options: string[]): string | undefined => {
  const directory = temporaryFolder()
  try {
    execFileSync('mount', [...options, directory], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  onTestFinished(() => {
    // Lazily: the garbage collector has not closed the last connection yet.
    execFileSync('umount', ['--lazy', directory])
  })
  return directory
}

const mountedWithSize = (size: string): string | undefined => mounted('-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs')

const expectRefusedUntouched = (directory: string, what: string): void => {
  const file = join(directory, 'state.db')
  const before = readFileSync(file)
  expect(() => openState(directory)).toThrowError(unusable(file, what))
  expect(readFileSync(file).equals(before)).toBe(true)
}

test('a file that is no database is refused and left as it is', () => {
  const directory = temporaryFolder()
  writeFileSync(join(directory, 'state.db'), 'not a database, but somebody may want it back\n'.repeat(100))
  expectRefusedUntouched(directory, 'it is not a database')
})

test('an empty file is refused rather than filled, since uids were in it once', () => {
  const directory = temporaryFolder()
  writeFileSync(join(directory, 'state.db'), '')
  expectRefusedUntouched(directory, 'it is empty')
})

test('a truncated file is refused and left as it is', () => {
  const { directory, file } = used()
  truncateSync(file, Math.floor(readFileSync(file).length / 2 / 4096) * 4096)
  expectRefusedUntouched(directory, 'it is damaged')
})

test('a file with overwritten pages is refused and left as it is', () => {
  const { directory, file } = used()
  const bytes = readFileSync(file)
  bytes.fill(0xa5, 4096)
  writeFileSync(file, bytes)
  expectRefusedUntouched(directory, 'it is damaged')
})

test('the database of another program is refused and left as it is', () => {
  const directory = temporaryFolder()
  const other = new DatabaseSync(join(directory, 'state.db'))
  other.exec('CREATE TABLE orders (number INTEGER)')
  other.close()
  expectRefusedUntouched(directory, 'it is the database of another program')
})

test('a database of a newer tenement is refused and left as it is', () => {
  const { directory, file } = used()
  const newer = new DatabaseSync(file)
  newer.exec('PRAGMA user_version = 999')
  newer.close()
  expectRefusedUntouched(directory, 'it has format 999, and this tenement knows format 2')
})

test('a database that another process holds is refused', () => {
  const { directory, file } = used()
  const other = new DatabaseSync(file)
  other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT')
  onTestFinished(() => other.close())
  expect(() => openState(directory)).toThrowError(unusable(file, 'another process holds it'))
})

test('two servers cannot use one state directory', () => {
  const { directory, file } = used()
  const first = openState(directory)
  onTestFinished(() => first.close())
  expect(() => openState(directory)).toThrowError(unusable(file, 'another process holds it'))
})

test('a folder that cannot be made is an error that names it', () => {
  const directory = join(temporaryFolder(), 'file')
  writeFileSync(directory, '')
  expect(() => openState(join(directory, 'state'))).toThrowError(
    unusable(join(directory, 'state', 'state.db'), 'it cannot be made'),
  )
})

test.skipIf(isRoot)('a file that may not be written is refused (skipped as root, whom modes do not bind)', () => {
  const { directory, file } = used()
  chmodSync(file, 0o400)
  expectRefusedUntouched(directory, 'it cannot be')
})

test('a database on a read-only file system is refused', (context) => {
  const directory = mounted('--bind', '-o', 'ro', used().directory)
  if (directory === undefined) return context.skip('no permission to mount a file system')
  expectRefusedUntouched(directory, 'it cannot be written')
})

test('a disk too full for a new database is an error, and nothing half made stays behind', (context) => {
  const directory = mountedWithSize('16k')
  if (directory === undefined) return context.skip('no permission to mount a file system')
  expect(() => openState(directory)).toThrowError(
    unusable(join(directory, 'state.db'), 'the disk is full|it cannot be made|failed'),
  )
  expect(existsSync(join(directory, 'state.db'))).toBe(false)
  expect(execFileSync('ls', ['-A', directory]).toString()).toBe('')
})

test('a disk that fills up is an error at the change that did not fit, and what was stored before is still there', (context) => {
  const directory = mountedWithSize('256k')
  if (directory === undefined) return context.skip('no permission to mount a file system')
  const file = join(directory, 'state.db')
  const state = openState(directory)
  let stored = 0
  const fill = (): void => {
    for (; stored < 100_000; stored += 1) state.addInstance(`notes:tenant-${String(stored).padStart(6, '0')}`)
  }
  expect(fill).toThrowError(unusable(file, 'the disk is full'))
  expect(stored).toBeGreaterThan(0)
  expect(() => state.uidFor('notes:new', { first: 700_000, last: 700_009 })).toThrowError(
    unusable(file, 'the disk is full'),
  )
  expect(state.addedInstances().length).toBe(stored)
  state.close()
  const copy = temporaryFolder()
  mkdirSync(copy, { recursive: true })
  for (const ending of ['', '-wal'])
    if (existsSync(file + ending)) copyFileSync(file + ending, join(copy, `state.db${ending}`))
  const reopened = openState(copy)
  expect(reopened.addedInstances().length).toBe(stored)
  reopened.close()
})
