import { describe, expect, test } from 'vitest'
import { floorsFor } from '../../../src/cli/floors.ts'
import { parseConfig } from '../../../src/config/load.ts'
import type { IsolationAdapter } from '../../../src/isolation/adapter.ts'
import { none } from '../../../src/isolation/none/index.ts'
import { builtinAdapters } from '../../../src/isolation/registry.ts'

const mebibyte = 1024 ** 2

const configOf = (text: string) =>
  parseConfig(
    { file: '/srv/tenement.toml', text },
    { env: {}, cwd: '/srv', home: '/home/ann', isRoot: false, processors: 2 },
  )

const floorsOf = (text: string, over: Partial<Parameters<typeof floorsFor>[0]> = {}, adapters = builtinAdapters) =>
  floorsFor({ config: configOf(text), unrunnable: {}, givenUp: {}, ...over }, adapters)

const sandboxed = '[service.api]\ncommand = "api"\nisolation = "sandbox"\n'

describe('the floor of a service', () => {
  test('has the bounds its isolation gives a service that says nothing, and every namespace', async () => {
    const { api } = await floorsOf(sandboxed)
    expect(api?.resources).toEqual({ memoryBytes: 512 * mebibyte, processes: 256, cpus: 1 })
    expect(api?.limits).toMatchObject({ nofile: 16_384, rtprio: 0 })
    expect(api?.confined).toMatchObject({
      program: '/usr/bin/bwrap',
      namespaces: ['user', 'pid', 'mnt', 'ipc', 'uts', 'cgroup', 'net'],
      isFiltered: true,
    })
    expect(api?.confined).not.toHaveProperty('uplink')
  })

  test('leads out by one uplink alone, and never to private networks or metadata', async () => {
    const { api } = await floorsOf(`${sandboxed}network = "internet"\n`)
    expect(api?.confined?.uplink?.[0]).toBe('/usr/bin/pasta')
    expect(api?.confined?.unreachable).toEqual(
      expect.arrayContaining(['10.0.0.0/8', '169.254.0.0/16', '127.0.0.0/8', 'fc00::/7']),
    )
  })

  test('is that of a tenant where its config differs', async () => {
    const floors = await floorsOf(
      `${sandboxed}memory_max = "64MB"\n[service.api.tenant.big]\nmemory_max = "1GB"\nnetwork = "internet"\n`,
    )
    expect(floors.api?.resources?.memoryBytes).toBe(64 * mebibyte)
    expect(floors['api:big']?.resources?.memoryBytes).toBe(1024 * mebibyte)
    expect(floors['api:big']?.confined?.uplink).toBeDefined()
  })

  test('asks for nothing that the service goes without on this machine', async () => {
    const { api } = await floorsOf(sandboxed, { givenUp: { api: ['res.memory'] } })
    expect(api?.resources).toEqual({ processes: 256, cpus: 1 })
  })

  test('is not there where this machine cannot run the service, so that nobody can launch it', async () => {
    expect(await floorsOf(sandboxed, { unrunnable: { api: 'no bubblewrap' } })).toEqual({})
  })

  test('holds an unconfined service to the bounds that were set for it, and to nothing else', async () => {
    const floors = await floorsOf('[service.api]\ncommand = "api"\nisolation = "none"\nmemory_max = "64MB"\n')
    expect(floors.api).toEqual({ resources: { memoryBytes: 64 * mebibyte }, limits: {} })
  })

  test('holds a service to nothing whose adapter says none', async () => {
    const { floorFor: _, ...silent } = none
    const adapters = new Map<string, IsolationAdapter>([['none', silent]])
    expect(
      await floorsOf('[service.api]\ncommand = "api"\nisolation = "none"\nmemory_max = "64MB"\n', {}, adapters),
    ).toEqual({ api: {} })
  })
})
