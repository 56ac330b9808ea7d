import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { requireWritable, writeReport } from '../../../src/cli/reportFile.ts'
import { testAsUser } from '../../helpers/root.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenement-report-'))
  file = join(folder, 'report.html')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const left = (): readonly string[] => readdirSync(folder).sort()

test('a report is written whole in the place of an earlier one, and nothing else is left', async () => {
  writeFileSync(file, 'earlier, and longer than what comes now')
  await requireWritable(file)
  expect(readFileSync(file, 'utf8')).toContain('earlier')
  await writeReport(file, 'now')
  expect(readFileSync(file, 'utf8')).toBe('now')
  expect(statSync(file).mode & 0o133).toBe(0)
  expect(left()).toEqual(['report.html'])
})

test('whether it can be written is found out without a trace', async () => {
  await requireWritable(file)
  expect(left()).toEqual([])
})

describe.each([
  ['requireWritable', requireWritable],
  ['writeReport', (path: string) => writeReport(path, 'now')],
])('%s refuses', (_, act) => {
  test('a symbolic link, and leaves alone what it leads to', async () => {
    const canary = join(folder, 'canary')
    writeFileSync(canary, 'mine')
    symlinkSync(canary, file)
    await expect(act(file)).rejects.toMatchObject({
      code: 'unwritable_report',
      message: expect.stringContaining('it is a symbolic link'),
      fix: expect.any(String),
    })
    expect(readFileSync(canary, 'utf8')).toBe('mine')
    expect(left()).toEqual(['canary', 'report.html'])
  })

  test('a symbolic link that leads nowhere yet', async () => {
    symlinkSync(join(folder, 'not-there'), file)
    await expect(act(file)).rejects.toMatchObject({ code: 'unwritable_report' })
    expect(left()).toEqual(['report.html'])
  })

  test('a folder and a pipe', async () => {
    mkdirSync(file)
    await expect(act(file)).rejects.toThrow('it is not a regular file')
    rmSync(file, { recursive: true })
    execFileSync('mkfifo', [file])
    await expect(act(file)).rejects.toThrow('it is not a regular file')
  })

  test('a folder that is not there, by the name that was given', async () => {
    const path = join(folder, 'missing', 'report.html')
    await expect(act(path)).rejects.toThrow(`the report cannot be written to "${path}": ENOENT`)
  })

  testAsUser('a folder that others own', async () => {
    chmodSync(folder, 0o500)
    await expect(act(file)).rejects.toThrow('EACCES')
    chmodSync(folder, 0o700)
  })
})
