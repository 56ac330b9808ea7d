import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findConfig } from '../../../src/config/find.ts'
import type { Surroundings } from '../../../src/config/surroundings.ts'

let folder = ''
let surroundings: Surroundings
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenement-find-'))
  surroundings = { env: {}, cwd: join(folder, 'here'), home: join(folder, 'home'), isRoot: false, processors: 1 }
})
afterEach(() => rmSync(folder, { recursive: true }))

const put = (path: string): string => {
  const file = join(folder, path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, '')
  return file
}

describe('the config is', () => {
  it('the one --config names, relative to the folder one is in, there or not', async () => {
    put('here/tenement.toml')
    const named = { ...surroundings, env: { TENEMENT_CONFIG: '/other.toml' } }
    await expect(findConfig('mine.toml', named)).resolves.toBe(join(folder, 'here/mine.toml'))
  })

  it('else the one $TENEMENT_CONFIG names', async () => {
    put('here/tenement.toml')
    await expect(findConfig(undefined, { ...surroundings, env: { TENEMENT_CONFIG: '/other.toml' } })).resolves.toBe(
      '/other.toml',
    )
  })

  it('else the one in the folder, before the one of the user', async () => {
    const user = put('home/.config/tenement/tenement.toml')
    await expect(findConfig(undefined, surroundings)).resolves.toBe(user)
    const here = put('here/tenement.toml')
    await expect(findConfig(undefined, { ...surroundings, env: { TENEMENT_CONFIG: '' } })).resolves.toBe(here)
  })

  it('looked for below $XDG_CONFIG_HOME when that is absolute', async () => {
    const user = put('home/.config/tenement/tenement.toml')
    const xdg = put('xdg/tenement/tenement.toml')
    await expect(
      findConfig(undefined, { ...surroundings, env: { XDG_CONFIG_HOME: join(folder, 'xdg') } }),
    ).resolves.toBe(xdg)
    await expect(findConfig(undefined, { ...surroundings, env: { XDG_CONFIG_HOME: 'xdg' } })).resolves.toBe(user)
  })

  it('nowhere, which is an error that names the places', async () => {
    await expect(findConfig(undefined, surroundings)).rejects.toEqual(
      expect.objectContaining({ code: 'unreadable_config', message: expect.stringContaining('here/tenement.toml') }),
    )
  })
})
