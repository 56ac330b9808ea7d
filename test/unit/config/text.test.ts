import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { decodeText, longestFile, readText } from '../../../src/config/text.ts'

const folder = mkdtempSync(join(tmpdir(), 'tenement-text-'))
afterAll(() => rmSync(folder, { recursive: true }))

const fileWith = (name: string, content: string | Uint8Array): string => {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}

const refusal = (message: RegExp) =>
  expect.objectContaining({
    code: 'unreadable_config',
    message: expect.stringMatching(message),
    fix: expect.any(String),
  })

describe('a config file that is no text is refused in a sentence', () => {
  it('when it is missing', async () => {
    await expect(readText(join(folder, 'none.toml'))).rejects.toEqual(refusal(/none\.toml" does not exist$/))
    await expect(readText(join(fileWith('file', 'a = 1'), 'x'))).rejects.toEqual(refusal(/is no directory$/))
  })

  it('when it is a directory', async () => {
    await expect(readText(folder)).rejects.toEqual(refusal(/is a directory$/))
  })

  it('when it is a pipe nobody writes to, without waiting', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    await expect(readText(pipe)).rejects.toEqual(refusal(/is not a regular file$/))
  })

  it('when it is a device that never ends', async () => {
    await expect(readText('/dev/zero')).rejects.toEqual(refusal(/is not a regular file$/))
  })

  it('when its link leads to itself', async () => {
    const link = join(folder, 'link')
    symlinkSync(link, link)
    await expect(readText(link)).rejects.toEqual(refusal(/leads to itself$/))
  })

  it('when it is empty, or as good as', async () => {
    await expect(readText(fileWith('empty', ''))).rejects.toEqual(refusal(/is empty$/))
    await expect(readText(fileWith('blank', ' \n\t\n'))).rejects.toEqual(refusal(/is empty$/))
  })

  it('when it is longer than 1 MiB, as a file of 10 MB is', async () => {
    await expect(readText(fileWith('long', '#'.repeat(longestFile + 1)))).rejects.toEqual(refusal(/longer than 1 MiB/))
    await expect(readText(fileWith('longer', '#'.repeat(10_000_000)))).rejects.toEqual(refusal(/longer than 1 MiB/))
  })

  it('when it is not UTF-8, with the line', () => {
    const bytes = Buffer.from('a = "é"\nb = "caf\xe9"\n', 'latin1')
    expect(() => decodeText('/t', bytes.subarray(8))).toThrow(refusal(/is not UTF-8: line 1 /))
    expect(() => decodeText('/t', Buffer.concat([Buffer.from('a = "é"\n\n'), bytes.subarray(8)]))).toThrow(
      refusal(/is not UTF-8: line 3 /),
    )
  })

  it('when it holds NUL bytes, as UTF-16 does', () => {
    expect(() => decodeText('/t', Buffer.from('a = 1', 'utf16le'))).toThrow(refusal(/NUL bytes/))
  })
})

describe('a config file that is text is read', () => {
  it('up to its last allowed byte', async () => {
    await expect(readText(fileWith('full', '#'.repeat(longestFile)))).resolves.toHaveLength(longestFile)
  })

  it('without its byte order mark', () => {
    expect(decodeText('/t', Buffer.from('\ufeffa = 1'))).toBe('a = 1')
  })
})
