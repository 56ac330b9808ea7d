import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkSight } from '../../../src/check/checkSight.ts'
import type { CheckMachine } from '../../../src/check/machine.ts'
import { readConfig } from '../../../src/config/load.ts'
import type { IsolationAdapter } from '../../../src/isolation/adapter.ts'
import { namespace } from '../../../src/isolation/namespace/index.ts'
import { none } from '../../../src/isolation/none/index.ts'
import { sandbox } from '../../../src/isolation/sandbox/index.ts'
import { machine, surroundings } from './fixtures.ts'

let root = ''
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(homedir(), '.tenement-sight-')))
  mkdirSync(join(root, 'opt/bin'), { recursive: true })
  mkdirSync(join(root, 'code'))
  mkdirSync(join(root, 'links'))
  for (const program of ['opt/bin/node', 'code/server'])
    writeFileSync(join(root, program), '#!/bin/sh\n', { mode: 0o755 })
  symlinkSync('../opt/bin/node', join(root, 'links/node'))
})
afterAll(() => rmSync(root, { recursive: true }))

const checked = (keys: string, adapter: IsolationAdapter = sandbox, here: CheckMachine | undefined = machine) => {
  const text = `[settings]\ndata_dir = "/data"\n[service.notes]\nisolation = "${adapter.name}"\n${keys}\n`
  const { config } = readConfig({ file: join(root, 'tenement.toml'), text }, surroundings)
  const service = config.services.get('notes')
  if (service === undefined) throw new Error('there is no service')
  return checkSight(service, config, adapter, here && { ...here, path: '/usr/bin' })
}

describe('a program', () => {
  test('outside of what instances see is told, with the folder to be granted', async () => {
    expect(await checked(`command = "${root}/opt/bin/node"\ncwd = "code"`)).toMatchObject([
      {
        path: ['service', 'notes', 'command'],
        code: 'unsupported_machine',
        fix: `add "${root}/opt" to service.notes.read, or install the program below /usr`,
      },
    ])
  })

  test('is found out behind a link from where instances do see', async () => {
    const [issue] = await checked(`command = "${root}/links/node"\ncwd = "code"\nread = ["${root}/links"]`)
    expect(issue?.message).toContain(`does not show "${root}/opt/bin/node"`)
  })

  test.each([
    ['below a grant', () => `command = "${root}/opt/bin/node"\ncwd = "code"\nread = ["${root}/opt"]`],
    ['beside the code', () => 'command = "./server"\ncwd = "code"'],
    ['of the machine', () => 'command = "sh"\ncwd = "code"'],
    ["of each instance's own", () => 'command = "{data_dir}/{id}/server"\ncwd = "code"'],
  ])('%s is fine', async (_, keys) => {
    expect(await checked(keys())).toEqual([])
  })

  test('is not looked for where the machine is another, nor by an adapter that hides nothing', async () => {
    const keys = `command = "${root}/opt/bin/node"\ncwd = "code"`
    expect(await checkedElsewhere(keys)).toEqual([])
    expect(await checked(keys, none)).toEqual([])
    expect(await checked(keys, namespace)).toHaveLength(1)
  })

  const checkedElsewhere = (keys: string) => {
    const text = `[service.notes]\nisolation = "sandbox"\n${keys}\n`
    const { config } = readConfig({ file: join(root, 'tenement.toml'), text }, surroundings)
    const service = config.services.get('notes')
    if (service === undefined) throw new Error('there is no service')
    return checkSight(service, config, sandbox, undefined)
  }
})

describe('a path an instance has of its own', () => {
  test.each([
    ['cwd = "/usr"', ['service', 'notes', 'cwd'], '"/usr" of its own'],
    ['read = ["/srv", "/etc"]', ['service', 'notes', 'read', 1], '"/etc" of its own'],
    ['write = ["/proc/sys"]', ['service', 'notes', 'write', 0], '"/proc" of its own'],
    ['read = ["/sys/fs/cgroup"]', ['service', 'notes', 'read', 0], '"/sys" of its own'],
  ])('cannot be had by %s', async (key, path, told) => {
    const keys = `command = "sh"\n${key.startsWith('cwd') ? '' : 'cwd = "code"\n'}${key}`
    expect(await checked(keys)).toMatchObject([{ path, message: expect.stringContaining(told) }])
    expect(await checked(keys, none)).toEqual([])
  })

  test('bars nothing below it that every instance may be shown', async () => {
    expect(
      await checked('command = "sh"\ncwd = "code"\nread = ["/etc/hostname", "/usr/share"]\nwrite = ["/var/lib/x"]'),
    ).toEqual([])
  })
})
