import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkSecrets, warnOfSecrets } from '../../../src/check/checkSecrets.ts'
import { readConfig } from '../../../src/config/load.ts'
import { testAsRoot } from '../../helpers/root.ts'
import { surroundings } from './fixtures.ts'

let root = ''
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tenement-secrets-'))
  put('token', 0o600)
  put('readable', 0o644)
  put('writable', 0o602)
  put('large', 0o600)
  mkdirSync(join(root, 'tenants'))
  put('tenants/token', 0o600)
  mkdirSync(join(root, 'open'))
  chmodSync(join(root, 'open'), 0o777)
  put('open/token', 0o600)
  mkdirSync(join(root, 'sticky'))
  chmodSync(join(root, 'sticky'), 0o1777)
  put('sticky/token', 0o600)
  put('sticky/planted', 0o600)
  symlinkSync(join(root, 'token'), join(root, 'link'))
  symlinkSync(root, join(root, 'folder'))
  truncateSync(join(root, 'large'), 1_048_577)
})
afterAll(() => rmSync(root, { recursive: true }))

const put = (name: string, mode: number): void => {
  writeFileSync(join(root, name), 'x')
  chmodSync(join(root, name), mode)
}

const serviceWith = (file: string) => {
  const text = `[service.api]\ncommand = "sh"\nisolation = "none"\nsecrets = { TOKEN = { file = "${file}" } }\n`
  const service = readConfig({ file: join(root, 'tenement.toml'), text }, surroundings).config.services.get('api')
  if (service === undefined) throw new Error('the config has no service')
  return service
}

const problemsOf = (file: string) => checkSecrets(serviceWith(file))

describe('the file of a secret', () => {
  it.each(['token', 'readable', 'sticky/token'])('%s will do', async (file) => {
    expect(await problemsOf(file)).toEqual([])
  })

  it.each([
    ['none', 'does not exist'],
    ['open', 'is a directory'],
    ['/dev/null', 'is no regular file'],
    ['link', 'leads through the symbolic link'],
    ['folder/token', 'folder", and none is followed'],
    ['writable', 'may be written by everybody'],
    ['large', 'holds 1048577 bytes'],
    ['open/token', 'open" is open for writing'],
  ])('%s will not: it %s', async (file, problem) => {
    expect(await problemsOf(file)).toMatchObject([
      {
        path: ['service', 'api', 'secrets', 'TOKEN', 'file'],
        code: 'unsupported_machine',
        message: expect.stringContaining(problem),
      },
    ])
  })

  testAsRoot('will not where somebody else could put another in its place', async () => {
    chownSync(join(root, 'tenants'), 700_010, 700_010)
    expect(await problemsOf('tenants/token')).toMatchObject([
      { message: expect.stringContaining('replaced by uid 700010') },
    ])
    chownSync(join(root, 'sticky/planted'), 700_010, 700_010)
    expect(await problemsOf('sticky/planted')).toMatchObject([{ message: expect.stringContaining('by everybody') }])
  })

  it('that everybody may read is worth a warning, and no problem', async () => {
    expect(await warnOfSecrets(serviceWith('readable'))).toMatchObject([
      { code: 'exposed_secret', fix: `chmod o-r "${join(root, 'readable')}"` },
    ])
    expect(await warnOfSecrets(serviceWith('token'))).toEqual([])
    expect(await warnOfSecrets(serviceWith('none'))).toEqual([])
  })
})
