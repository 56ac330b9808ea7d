// How far the bound on stored data goes: by what the file system says, and by whether the confinement keeps an instance in its project.
import { describe, expect, test } from 'vitest'
import type { QuotaSupport } from '../../../src/check/machine.ts'
import { judge } from '../../../src/check/storage.ts'
import { readConfig } from '../../../src/config/load.ts'
import type { IsolationAdapter } from '../../../src/isolation/adapter.ts'
import { builtinAdapters } from '../../../src/isolation/registry.ts'
import { adapterWith, findingsOf, machine, surroundings } from './fixtures.ts'

const kept: QuotaSupport = { isKept: true, proof: 'ext4 at "/data" enforces' }
const absent: QuotaSupport = { isKept: false, reason: 'tmpfs at "/data" keeps none', fix: 'mount another' }

const held = ['user.ns', 'caps.none', 'launch.attested']

const storing = (name: string, promises: readonly string[], strength: 'enforced' | 'best-effort' = 'best-effort') => {
  const adapter = adapterWith(name, promises)
  return { ...adapter, capabilities: { ...adapter.capabilities, 'disk.quota': strength } } satisfies IsolationAdapter
}

describe('a bound on what is stored', () => {
  test('is enforced where the file system keeps it and the instance cannot leave its project', () => {
    expect(judge(storing('jail', held), kept)).toEqual({
      given: 'enforced',
      because: { reason: 'ext4 at "/data" enforces' },
    })
  })

  test.each(held)('is not for an instance that is not promised %s', (missing) => {
    const { given, because } = judge(
      storing(
        'open',
        held.filter((name) => name !== missing),
      ),
      kept,
    )
    expect(given).toBe('best-effort')
    expect(because?.reason).toBe(
      `ext4 at "/data" enforces, but isolation "open" does not promise "${missing}": an instance could take its files out of its project`,
    )
  })

  test('is not where the file system keeps none, with what would help', () => {
    expect(judge(storing('jail', held), absent)).toEqual({
      given: 'best-effort',
      because: { reason: 'looked at every one to ten seconds: tmpfs at "/data" keeps none', fix: 'mount another' },
    })
  })

  test('is judged so of the isolations there are', () => {
    const given = [...builtinAdapters.values()].map((adapter) => [adapter.name, judge(adapter, kept).given])
    expect(Object.fromEntries(given)).toEqual({ none: 'best-effort', namespace: 'enforced', sandbox: 'enforced' })
  })
})

describe('check', () => {
  const asked: string[] = []
  const quotaOn = async (folder: string): Promise<QuotaSupport> => {
    asked.push(folder)
    if (folder.startsWith('/broken')) throw new Error('no such device')
    return folder.startsWith('/data') ? kept : absent
  }
  const adapters = new Map([
    ['jail', storing('jail', held)],
    ['own', storing('own', [], 'enforced')],
  ])
  const service = (name: string, isolation: string, root: string, bound = 'storage_max = "1MB"') =>
    `[service.${name}]\ncommand = "true"\ncwd = "/usr"\nisolation = "${isolation}"\ndata = "${root}/{name}/{id}"\n${bound}\n`
  const text = [
    service('kept', 'jail', '/data'),
    service('looked', 'jail', '/var/other'),
    service('broken', 'jail', '/broken'),
    service('own', 'own', '/data'),
    service('free', 'jail', '/data', ''),
  ].join('')

  const find = () => {
    const { config } = readConfig({ file: '/srv/tenement.toml', text }, surroundings)
    return findingsOf(config, adapters, { ...machine, quotaOn })
  }

  const givenOf = async (): Promise<Readonly<Record<string, string | undefined>>> => {
    const { promises } = await find()
    return Object.fromEntries(
      [...promises].map(([name, verdicts]) => {
        const verdict = verdicts.find(({ capability }) => capability === 'disk.quota')
        return [name, verdict && `${verdict.given}: ${verdict.because?.reason}`]
      }),
    )
  }

  test('asks the file system that each service has its data on, where it has a bound that is open', async () => {
    expect(await givenOf()).toEqual({
      kept: 'enforced: ext4 at "/data" enforces',
      looked: 'best-effort: looked at every one to ten seconds: tmpfs at "/data" keeps none',
      broken:
        'best-effort: looked at every one to ten seconds: the file system of "/broken/broken" cannot be asked for quotas: no such device',
      // It has means of its own.
      own: 'enforced: undefined',
      free: undefined,
    })
    expect([...asked].sort()).toEqual(['/broken/broken', '/data/kept', '/var/other/looked'])
  })

  test('counts a bound that is enforced as closed, and one that is not as half open', async () => {
    const { exposures } = await find()
    const open = (name: string) => exposures.get(name)?.terms.find(({ term }) => term === 'disk.quota')
    expect(exposures.has('kept')).toBe(true)
    expect(open('kept')).toBeUndefined()
    const [looked, free] = [open('looked'), open('free')]
    expect(looked?.points).toBeCloseTo(0.5 * (looked?.of ?? 0))
    expect(free?.points).toBe(free?.of)
  })
})
