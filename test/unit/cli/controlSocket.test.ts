import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findControlSocket } from '../../../src/cli/controlSocket.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { Surroundings } from '../../../src/config/surroundings.ts'

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tenement-home-'))
})
afterEach(async () => {
  await rm(home, { recursive: true, force: true })
})

const surroundings = (differences: Partial<Surroundings> = {}): Surroundings => ({
  env: {},
  cwd: home,
  home,
  isRoot: false,
  processors: 2,
  ...differences,
})

const write = async (text: string): Promise<string> => {
  const file = join(home, 'tenement.toml')
  await writeFile(file, text)
  return file
}

const service = '[service.api]\ncommand = "api"\nisolation = "none"\n'

describe('the control socket', () => {
  it.each([
    ['a relative run_dir', '[settings]\nrun_dir = "run"\n', surroundings],
    ['an absolute run_dir', '[settings]\nrun_dir = "/srv/run"\n', surroundings],
    ['a state_dir alone', '[settings]\nstate_dir = "state"\n', surroundings],
    ['neither', '', surroundings],
    ['neither, as root', '', () => surroundings({ isRoot: true })],
    ['neither, in a login session', '', () => surroundings({ env: { XDG_RUNTIME_DIR: '/run/user/1000' } })],
    ['neither, in a systemd unit', '', () => surroundings({ isRoot: true, env: { RUNTIME_DIRECTORY: '/run/mine' } })],
  ])('is where serve has it for a config with %s', async (_, text, where) => {
    const file = await write(text + service)
    const { settings } = await loadConfig(file, where())
    expect(await findControlSocket(undefined, where())).toBe(join(settings.runDir, 'control.sock'))
  })

  it('is found beside a mistake elsewhere in the config', async () => {
    await write('[settings]\nrun_dir = "/srv/run"\nunknown_key = 1\n[service.api]\n')
    expect(await findControlSocket(undefined, surroundings())).toBe('/srv/run/control.sock')
  })

  it('is that of the config which was named, rather than of one in the usual places', async () => {
    await write('[settings]\nrun_dir = "/srv/usual"\n')
    const other = join(home, 'other.toml')
    await writeFile(other, '[settings]\nrun_dir = "/srv/other"\n')
    expect(await findControlSocket(other, surroundings())).toBe('/srv/other/control.sock')
    expect(await findControlSocket(undefined, surroundings({ env: { TENEMENT_CONFIG: other } }))).toBe(
      '/srv/other/control.sock',
    )
  })

  it('is never guessed when the config that was named is not there', async () => {
    await expect(findControlSocket('missing.toml', surroundings())).rejects.toMatchObject({ code: 'unreadable_config' })
  })

  it('is never guessed when the config cannot be read as TOML', async () => {
    await write('run_dir = [')
    await expect(findControlSocket(undefined, surroundings())).rejects.toMatchObject({ code: 'invalid_config' })
  })

  it('is the usual one where there is no config at all', async () => {
    const empty = join(home, 'empty')
    await mkdir(empty)
    const env = { XDG_RUNTIME_DIR: join(home, 'runtime') }
    await mkdir(join(env.XDG_RUNTIME_DIR, 'tenement'), { recursive: true })
    await writeFile(join(env.XDG_RUNTIME_DIR, 'tenement/control.sock'), '')
    const found = await findControlSocket(undefined, surroundings({ cwd: empty, env }))
    expect(found).toBe(join(home, 'runtime/tenement/control.sock'))
  })
})
