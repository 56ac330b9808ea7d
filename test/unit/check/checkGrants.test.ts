import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkGrants } from '../../../src/check/checkGrants.ts'
import { readConfig } from '../../../src/config/load.ts'
import { testAsRoot } from '../../helpers/root.ts'
import { machine, surroundings } from './fixtures.ts'

let root = ''
beforeAll(() => {
  // Not below /tmp, which everybody may write: there a name of root's is kept by the sticky bit alone.
  root = mkdtempSync(join(homedir(), '.tenement-grants-'))
  chmodSync(root, 0o755)
  mkdirSync(join(root, 'open'), { mode: 0o755 })
  mkdirSync(join(root, 'closed'), { mode: 0o700 })
  mkdirSync(join(root, 'drop'))
  chmodSync(join(root, 'drop'), 0o1777)
  mkdirSync(join(root, 'anybody'))
  chmodSync(join(root, 'anybody'), 0o777)
  mkdirSync(join(root, 'anybody/below'), { mode: 0o755 })
  mkdirSync(join(root, 'drop/below'), { mode: 0o755 })
  writeFileSync(join(root, 'file'), '', { mode: 0o644 })
  symlinkSync('/etc', join(root, 'link'))
})
afterAll(() => rmSync(root, { recursive: true }))

const checked = async (text: string, over: Partial<typeof machine> = {}) => {
  const file = `[settings]\ndata_dir = "/data"\n[service.notes]\ncommand = "server"\nisolation = "sandbox"\n${text}\n`
  const { config } = readConfig({ file: join(root, 'tenement.toml'), text: file }, surroundings)
  const service = config.services.get('notes')
  if (service === undefined) throw new Error('there is no service')
  return checkGrants(service, { ...machine, ...over })
}
const read = (path: string, over: Partial<typeof machine> = {}) => checked(`read = ["${root}/${path}"]`, over)
const write = (path: string, over: Partial<typeof machine> = {}) => checked(`write = ["${root}/${path}"]`, over)

describe('a grant', () => {
  test.each(['open', 'file', 'open/../file'])(
    'of %s, which only root or the caller could have put there, is fine',
    async (path) => {
      expect(await read(path)).toEqual([])
    },
  )

  test('that does not exist is a problem at its own place in the list', async () => {
    expect(await checked(`read = ["${root}/open", "${root}/none"]`)).toMatchObject([
      { path: ['service', 'notes', 'read', 1], message: expect.stringContaining('does not exist') },
    ])
  })

  test('of one tenant alone is looked at too', async () => {
    expect(await checked(`[service.notes.tenant.acme]\nwrite = ["${root}/none"]`)).toMatchObject([
      { path: ['service', 'notes', 'tenant', 'acme', 'write', 0], code: 'unsupported_machine' },
    ])
  })

  test.each(['link', 'link/ssl'])('through the symlink %s is refused, and the link is named', async (path) => {
    expect(await read(path)).toMatchObject([{ message: expect.stringContaining(`"${root}/link"`) }])
  })

  test('below a folder that everybody may write is refused: a tenant could have planted it', async () => {
    expect(await read('anybody/below')).toMatchObject([
      { message: expect.stringContaining('can be replaced by everybody') },
    ])
  })

  test('below such a folder is fine where the sticky bit keeps the name, and it is ours', async () => {
    expect(await read('drop/below')).toEqual([])
  })

  testAsRoot('below a folder of somebody else is refused', async () => {
    mkdirSync(join(root, 'theirs/below'), { recursive: true })
    chownSync(join(root, 'theirs'), 65_534, 65_534)
    expect(await read('theirs/below')).toMatchObject([{ message: expect.stringContaining('uid 65534') }])
  })

  test('of a device is refused', async () => {
    expect(await checked('read = ["/dev/null"]')).toMatchObject([{ message: expect.stringContaining('is a device') }])
  })

  test('that the uids of tenants may not use is refused where there are such', async () => {
    const withUids = { isRoot: true, hasTenantUids: true }
    expect(await read('closed')).toEqual([])
    expect(await read('closed', withUids)).toMatchObject([{ fix: `chmod o+rx "${root}/closed"` }])
    expect(await write('open', withUids)).toMatchObject([{ fix: `chmod o+rwx,+t "${root}/open"` }])
    expect(await write('file', withUids)).toMatchObject([{ fix: `chmod o+rw "${root}/file"` }])
    expect([...(await write('drop', withUids)), ...(await read('file', withUids))]).toEqual([])
  })
})
