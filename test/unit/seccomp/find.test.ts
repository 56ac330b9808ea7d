import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TenementError } from '../../../src/errors.ts'
import { readProfile } from '../../../src/seccomp/find.ts'
import { shippedNames, shippedText } from './shipped.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenement-seccomp-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const refusal = async (nameOrPath: string): Promise<TenementError> =>
  await readProfile(nameOrPath, folder).then(
    ({ file }) => {
      throw new Error(`${file} was read`)
    },
    (error: unknown) => {
      if (error instanceof TenementError) return error
      throw error
    },
  )

test.each(shippedNames)(
  '"%s" is the profile that comes with tenement, whatever lies beside the config',
  async (name) => {
    await writeFile(join(folder, name), '{}')
    await writeFile(join(folder, `${name}.json`), '{}')
    const { file, text } = await readProfile(name, folder)
    expect(basename(file)).toBe(`${name}.json`)
    expect(text).toBe(shippedText(name))
  },
)

test.each(['mine.json', './mine.json', 'sub/../mine.json'])('"%s" is a file beside the config', async (path) => {
  await writeFile(join(folder, 'mine.json'), '{"mine":1}')
  expect(await readProfile(path, folder)).toEqual({ file: join(folder, 'mine.json'), text: '{"mine":1}' })
})

test('an unknown name is refused with the names there are', async () => {
  const error = await refusal('strcit')
  expect(error.message).toBe('no seccomp profile is called "strcit"')
  expect(error.fix).toContain('default, nested, permissive, strict')
})

test('a file that is not there is refused by its path', async () => {
  expect((await refusal('./none.json')).message).toContain(join(folder, 'none.json'))
})

test.each([
  ['a FIFO, which would be waited for', (path: string) => execFileSync('mkfifo', [path])],
  ['a directory', (path: string) => execFileSync('mkdir', [path])],
])('%s is refused', async (_, make) => {
  make(join(folder, 'odd.json'))
  expect((await refusal('./odd.json')).message).toMatch(/it is no regular file|EISDIR/)
})

test('a file of a gigabyte is refused without being read', async () => {
  await writeFile(join(folder, 'big.json'), '')
  await truncate(join(folder, 'big.json'), 2 ** 30)
  expect((await refusal('./big.json')).message).toContain('it has 1073741824 bytes')
})
