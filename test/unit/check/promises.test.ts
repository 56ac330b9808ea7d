import { describe, expect, it } from 'vitest'
import { standingOf } from '../../../src/check/promises.ts'
import { readConfig } from '../../../src/config/load.ts'
import { acceptableLosses, capabilities } from '../../../src/isolation/capabilities.ts'
import { flags } from '../../../src/isolation/options.ts'
import type { Adapters } from '../../../src/isolation/registry.ts'
import { adapterWith, findingsOf, machine, surroundings } from './fixtures.ts'

const noRoot = { capability: 'user.perTenantUid', reason: 'tenement is not root', fix: 'start it as root' }
const noMemory = { capability: 'res.memory', reason: 'there is no memory controller' }
const noFilter = { capability: 'syscalls.filtered', reason: 'the kernel has no filters', fix: 'boot another' }

const promised = ['user.perTenantUid', 'res.memory', 'res.pids', 'syscalls.filtered', 'net.private']
const jail = (needs: readonly string[], ...lost: readonly (typeof noMemory)[]): Adapters =>
  new Map([['jail', { ...adapterWith('jail', promised, { lost }), needs }]])

const find = (lines: string, adapters: Adapters) => {
  const text = `[service.notes]\ncommand = "sh"\ncwd = "/"\nisolation = "jail"\n${lines}\n`
  const { config, problems } = readConfig({ file: '/srv/tenement.toml', text }, surroundings)
  expect(problems).toEqual([])
  return findingsOf(config, adapters, machine)
}

describe('a promise the adapter runs no service without', () => {
  it('and that this machine cannot keep is the machine’s fault, told with its sentence, the fix and the last resort', async () => {
    const { problems } = await find('', jail(['user.perTenantUid'], noRoot))
    expect(problems).toEqual([
      {
        file: '/srv/tenement.toml',
        line: 4,
        column: 1,
        key: 'service.notes.isolation',
        code: 'missing_capability',
        fault: 'machine',
        message:
          'isolation "jail" needs "user.perTenantUid" (it runs as a uid no other instance has), which it cannot keep on this machine: tenement is not root',
        value: '"jail"',
        fix: 'start it as root; as a last resort go without: add "shared-uid" to service.notes.accept',
        service: 'notes',
      },
    ])
  })

  it('is no problem where the service accepts its loss, and is listed as accepted', async () => {
    const { problems, promises } = await find('accept = ["shared-uid"]', jail(['user.perTenantUid'], noRoot))
    expect(problems).toEqual([])
    expect(promises.get('notes')).toEqual([
      { capability: 'user.perTenantUid', path: undefined, given: 'enforced', lost: noRoot, accepted: 'shared-uid' },
    ])
  })

  it('is not accepted by accepting another', async () => {
    const lines = 'accept = ["no-pids-limit"]'
    const { problems } = await find(lines, jail(['user.perTenantUid'], noRoot))
    expect(problems).toMatchObject([{ fix: expect.stringContaining('add "shared-uid" to service.notes.accept') }])
  })

  it('is told together with others that are lost for the same reason, with all their words', async () => {
    const noPids = { ...noMemory, capability: 'res.pids' }
    const { problems } = await find('', jail(['res.memory', 'res.pids', 'user.perTenantUid'], noMemory, noRoot, noPids))
    expect(problems).toMatchObject([
      {
        message: expect.stringContaining('needs "res.memory" and "res.pids", which it cannot keep'),
        fix: 'set another isolation; as a last resort go without: add "no-memory-limit" and "no-pids-limit" to service.notes.accept',
      },
      { message: expect.stringContaining('user.perTenantUid') },
    ])
  })

  it('stays a problem where no word of accept stands for it', async () => {
    const lines = `accept = ${JSON.stringify(acceptableLosses)}`
    const { problems } = await find(lines, jail(['syscalls.filtered'], noFilter))
    expect(problems).toMatchObject([{ key: 'service.notes.isolation', fix: 'boot another' }])
  })

  it('is told once, at the key, where a key asks for it too', async () => {
    const { problems, promises } = await find('memory_max = "1G"', jail(['res.memory'], noMemory))
    expect(problems).toMatchObject([
      {
        key: 'service.notes.memory_max',
        fault: 'machine',
        fix: 'remove service.notes.memory_max; as a last resort go without: add "no-memory-limit" to service.notes.accept',
      },
    ])
    expect(promises.get('notes')?.map(standingOf)).toEqual(['lost'])
  })

  it('asks nothing of a config for another machine', async () => {
    const text = '[service.notes]\ncommand = "nothing-here"\ncwd = "/nowhere"\nisolation = "jail"\nmemory_max = "1G"\n'
    const { check } = await import('../../../src/check/check.ts')
    const { config } = readConfig({ file: '/srv/tenement.toml', text }, surroundings)
    const ground = {
      adapters: jail(['res.memory'], noMemory),
      machine: undefined,
      probes: new Map(),
      faults: new Map(),
    }
    const { problems, promises } = await check(config, ground)
    expect(problems).toEqual([])
    expect(promises.get('notes')?.map(standingOf)).toEqual(['kept'])
  })
})

it('what several keys of tenants ask for is accepted for all of them', async () => {
  const lines = 'memory_max = "1G"\naccept = ["no-memory-limit"]\ntenant.acme.memory_max = "2G"'
  const { problems, promises } = await find(lines, jail([], noMemory))
  expect(problems).toEqual([])
  expect(promises.get('notes')?.map(standingOf)).toEqual(['accepted', 'accepted'])
})

it('an adapter whose probe fails is taken to be unusable, with the reason', async () => {
  const broken = adapterWith('jail', promised)
  const adapters: Adapters = new Map([
    ['jail', { ...broken, probe: () => Promise.reject(new Error('no such device')) }],
  ])
  const { problems } = await find('', adapters)
  expect(problems).toMatchObject([
    { code: 'unsupported_machine', fault: 'machine', message: expect.stringContaining('no such device') },
  ])
})

describe('the vocabulary', () => {
  it('has for every word of accept exactly one promise', () => {
    const words = Object.values(capabilities).flatMap(({ acceptedAs }) => acceptedAs ?? [])
    expect(words.sort()).toEqual([...acceptableLosses].sort())
  })

  it('has a proof, among the eighty attacks, for every promise', () => {
    for (const [name, { proofs }] of Object.entries(capabilities)) {
      expect(proofs.length, name).toBeGreaterThan(0)
      for (const proof of proofs) expect(proof >= 1 && proof <= 80 && Number.isInteger(proof), name).toBe(true)
    }
  })

  it('has a sentence of its own for every promise', () => {
    const sentences = Object.values(capabilities).map(({ promise }) => promise)
    expect(new Set(sentences).size).toBe(sentences.length)
  })
})

it('a promise lost only to services with an option is lost to no other', async () => {
  const adapters: Adapters = new Map([
    [
      'jail',
      {
        ...adapterWith('jail', promised, { lost: [{ ...noMemory, onlyWith: { nested: true } }] }),
        options: flags({ nested: false }),
      },
    ],
  ])
  const asked = 'memory_max = "1GB"'
  expect((await find(asked, adapters)).problems).toEqual([])
  expect((await find(`${asked}\noptions = { nested = false }`, adapters)).problems).toEqual([])
  expect((await find(`${asked}\noptions = { nested = true }`, adapters)).problems).toMatchObject([
    { key: 'service.notes.memory_max', fault: 'machine', message: expect.stringContaining('no memory controller') },
  ])
})
