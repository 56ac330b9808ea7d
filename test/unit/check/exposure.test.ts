import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openKernel, wideness } from '../../../src/check/exposure/badness.ts'
import { exposureOf } from '../../../src/check/exposure/exposure.ts'
import type { Conditions, Facts, Surface } from '../../../src/check/exposure/facts.ts'
import { levelOf, scoreOf } from '../../../src/check/exposure/score.ts'
import { type Term, terms } from '../../../src/check/exposure/terms.ts'
import type { CheckMachine } from '../../../src/check/machine.ts'
import { weighProfile } from '../../../src/cli/lintProfile.ts'
import { parseConfig, readConfig } from '../../../src/config/load.ts'
import type { Service } from '../../../src/config/schema.ts'
import { TenementError } from '../../../src/errors.ts'
import type { IsolationAdapter, Network, Probe, Strength } from '../../../src/isolation/adapter.ts'
import { acceptableLosses, capabilities } from '../../../src/isolation/capabilities.ts'
import { flags } from '../../../src/isolation/options.ts'
import { builtinAdapters } from '../../../src/isolation/registry.ts'
import { adapterWith, findingsOf, machine, surroundings } from './fixtures.ts'

const names = Object.keys(capabilities)
const all: readonly (readonly [string, Term])[] = Object.entries(terms)
const closed: Surface = { dangers: 0, ofDangers: 74, allowsOthers: false }

const everything: Facts = {
  kept: Object.fromEntries(names.map((name) => [name, 'enforced'])),
  network: 'private',
  limits: { memoryBytes: 1, cpus: 1, processes: 1, openFiles: 1, tmpBytes: 1, storageBytes: 1 },
  surface: closed,
  ...{ read: [], write: [], secrets: 0, accepted: 0, startsAsRoot: false },
}
const nothing: Facts = {
  ...{ kept: {}, network: 'host', limits: {}, surface: undefined, read: ['/'], write: ['/'] },
  ...{ secrets: 1e6, accepted: 1e6, startsAsRoot: true },
}

const strengths: readonly (Strength | undefined)[] = ['enforced', 'best-effort', undefined]
const networks: readonly Network[] = ['private', 'internet', 'host']
const paths = ['/', '/etc', '/srv/shared', '/srv/shared/a', '/srv/shared/a/b']

/** A service, its isolation and its machine, as ranks: a larger number is more open. */
interface Ground {
  readonly strengths: readonly number[]
  readonly lost: readonly boolean[]
  readonly network: number
  readonly missing: readonly boolean[]
  readonly read: readonly string[]
  readonly write: readonly string[]
  readonly secrets: number
  readonly accepted: number
  readonly dangers: number
  readonly allowsOthers: boolean
  readonly isFiltered: boolean
  readonly startsAsRoot: boolean
  readonly tenants: readonly number[]
}

const limitKeys = {
  memoryMaxBytes: 1e9,
  cpuMax: 1,
  cpuWeight: 100,
  pidsMax: 10,
  filesMax: 100,
  tmpSizeBytes: 1e6,
  storageMaxBytes: 1e9,
} as const
const limitNames = Object.keys(limitKeys)

const grounds: fc.Arbitrary<Ground> = fc.record({
  strengths: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: names.length, maxLength: names.length }),
  lost: fc.array(fc.boolean(), { minLength: names.length, maxLength: names.length }),
  network: fc.integer({ min: 0, max: 2 }),
  missing: fc.array(fc.boolean(), { minLength: limitNames.length, maxLength: limitNames.length }),
  read: fc.subarray(paths),
  write: fc.subarray(paths),
  secrets: fc.integer({ min: 0, max: 5 }),
  accepted: fc.integer({ min: 0, max: acceptableLosses.length }),
  dangers: fc.integer({ min: 0, max: 74 }),
  allowsOthers: fc.boolean(),
  isFiltered: fc.boolean(),
  startsAsRoot: fc.boolean(),
  tenants: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 3 }),
})

/** One thing more is open; undefined where it is already. */
type Step = (ground: Ground, at: number) => Ground | undefined

const raise = (list: readonly number[], at: number): readonly number[] =>
  list.map((rank, index) => (index === at % list.length ? Math.min(rank + 1, 2) : rank))
const set = (list: readonly boolean[], at: number): readonly boolean[] =>
  list.map((flag, index) => flag || index === at % list.length)
const pathAt = (at: number): string => paths[at % paths.length] ?? '/'

const steps: Readonly<Record<string, Step>> = {
  'a promise is weaker or not made': (ground, at) => ({ ...ground, strengths: raise(ground.strengths, at) }),
  'the machine loses a promise': (ground, at) => ({ ...ground, lost: set(ground.lost, at) }),
  'the network is wider': (ground) => ({ ...ground, network: Math.min(ground.network + 1, 2) }),
  'a limit is taken away': (ground, at) => ({ ...ground, missing: set(ground.missing, at) }),
  'a path more may be read': (ground, at) => ({ ...ground, read: [...ground.read, pathAt(at)] }),
  'a path more may be written': (ground, at) => ({ ...ground, write: [...ground.write, pathAt(at)] }),
  'what may be read may be written': ({ read: [first, ...read], ...ground }) =>
    first === undefined ? undefined : { ...ground, read, write: [...ground.write, first] },
  'a grant is of the folder around it': ({ write: [first, ...write], ...ground }) =>
    first === undefined ? undefined : { ...ground, write: [...write, first.replace(/\/[^/]+$/, '') || '/'] },
  'there is a secret more': (ground) => ({ ...ground, secrets: ground.secrets + 1 }),
  'a loss more is accepted': (ground) => ({ ...ground, accepted: Math.min(ground.accepted + 1, 4) }),
  'the profile allows a dangerous call more': (ground) => ({ ...ground, dangers: Math.min(ground.dangers + 1, 74) }),
  'the profile allows what it does not name': (ground) => ({ ...ground, allowsOthers: true }),
  'there is no profile': (ground) => ({ ...ground, isFiltered: false }),
  'it begins as root': (ground) => ({ ...ground, startsAsRoot: true }),
  'a tenant has a network of its own choice': (ground, at) => ({ ...ground, tenants: [...ground.tenants, at % 3] }),
}

const plain = parseConfig(
  { file: '/srv/tenement.toml', text: '[service.api]\ncommand = "sh"\nisolation = "jail"\n' },
  surroundings,
).services.get('api') as Service

const networkAt = (rank: number): Network => networks[rank] ?? 'host'

const serviceOf = (ground: Ground): Service => ({
  ...plain,
  ...Object.fromEntries(Object.entries(limitKeys).filter((_, index) => !ground.missing[index])),
  network: networkAt(ground.network),
  read: ground.read,
  write: ground.write,
  accept: acceptableLosses.slice(0, ground.accepted),
  secrets: Object.fromEntries(Array.from({ length: ground.secrets }, (_, index) => [`S${index}`, { file: '/s' }])),
  tenant: Object.fromEntries(ground.tenants.map((rank, index) => [`t${index}`, { network: networkAt(rank) }])),
})

const conditionsOf = (ground: Ground): Conditions => {
  const made = names.flatMap((name, index): [string, Strength][] => {
    const strength = strengths[ground.strengths[index] ?? 2]
    return strength === undefined ? [] : [[name, strength]]
  })
  const adapter: IsolationAdapter = { ...adapterWith('jail', []), capabilities: Object.fromEntries(made) }
  const lost = names.filter((_, index) => ground.lost[index])
  return {
    adapter,
    probe: { usable: true, lost: lost.map((capability) => ({ capability, reason: 'it is lost' })) },
    defaults: adapter.defaults,
    surface: ground.isFiltered
      ? { dangers: ground.dangers, ofDangers: 74, allowsOthers: ground.allowsOthers }
      : undefined,
    startsAsRoot: ground.startsAsRoot,
  }
}

const others = { adapters: builtinAdapters, probes: new Map() }
const exposureIn = (ground: Ground) => exposureOf(serviceOf(ground), conditionsOf(ground), others)

describe('the score', () => {
  it('is 0 where nothing is open, and 10 where everything is', () => {
    expect(scoreOf(everything)).toEqual({ score: 0, shares: [] })
    expect(scoreOf(nothing).score).toBe(10)
    expect(scoreOf(nothing).shares).toHaveLength(all.length)
  })

  it.each(Object.entries(steps))('is never lower because %s', (_, step) => {
    fc.assert(
      fc.property(grounds, fc.nat(1_000), (ground, at) => {
        const worse = step(ground, at)
        if (worse !== undefined) expect(exposureIn(worse).score).toBeGreaterThanOrEqual(exposureIn(ground).score)
      }),
    )
  })

  it('is what its terms add up to, the heaviest first', () => {
    fc.assert(
      fc.property(grounds, (ground) => {
        const { score, terms: parts } = exposureIn(ground)
        const points = parts.map((part) => part.points)
        expect(Math.abs(points.reduce((sum, each) => sum + each, 0) - score)).toBeLessThanOrEqual(0.05 + 1e-9)
        expect(points).toEqual([...points].sort((a, b) => b - a))
        for (const { points, of } of parts) expect(points).toBeLessThanOrEqual(of)
      }),
    )
  })

  it.each(all.map(([name, { promises }]) => [name, promises]).filter(([, promises]) => promises?.length))(
    'is higher for %s without any of its promises',
    (name, promises) => {
      const kept = Object.fromEntries(
        names.filter((each) => !promises?.includes(each as never)).map((each) => [each, 'enforced' as const]),
      )
      const lacking = {
        ...everything,
        kept,
        surface: promises?.includes('syscalls.filtered' as never) ? undefined : closed,
      }
      expect(scoreOf(lacking).shares.map(({ term }) => term)).toContain(name)
    },
  )

  it('asks about every promise there is, but for being there again after a restart', () => {
    const asked = new Set<string>(all.flatMap(([, { promises }]) => promises))
    // Secrets are weighed by what they are to a tenant, with or without files of their own.
    expect(names.filter((name) => !asked.has(name))).toEqual(['fs.secrets', 'restart.survives'])
  })

  it('tells in a word of how much it speaks', () => {
    expect([0, 2, 2.1, 5, 5.1, 10].map(levelOf)).toEqual(['low', 'low', 'medium', 'medium', 'high', 'high'])
  })

  it('says for every term what it exposes and why it weighs that, in sentences of their own', () => {
    expect(new Set(all.map(([, { exposes }]) => exposes)).size).toBe(all.length)
    expect(new Set(all.map(([, { because }]) => because)).size).toBe(all.length)
    for (const [name, { weight }] of all) expect(weight, name).toBeGreaterThan(0)
  })
})

const builtin = (name: string, service: Partial<Service> = {}, lost: Probe['lost'] = [], surface = closed) => {
  const adapter = builtinAdapters.get(name) as IsolationAdapter
  return exposureOf(
    { ...plain, isolation: name, ...service },
    {
      adapter,
      probe: { usable: true, lost },
      defaults: adapter.defaults,
      surface: adapter.capabilities['syscalls.filtered'] === undefined ? undefined : surface,
      startsAsRoot: false,
    },
    others,
  )
}

describe('the isolations that come with tenement', () => {
  it('expose less from none over namespace to sandbox, each by a level', () => {
    const scores = ['none', 'namespace', 'sandbox'].map((name) => builtin(name).score)
    expect(scores.map(levelOf)).toEqual(['high', 'medium', 'low'])
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
  })

  it('expose more where tenants share a uid', () => {
    const lost = [{ capability: 'user.perTenantUid', reason: 'no root', fix: 'start tenement as root' }]
    for (const name of builtinAdapters.keys())
      expect(builtin(name, {}, lost).score, name).toBeGreaterThan(builtin(name).score)
    expect(builtin('sandbox', {}, lost).terms[0]).toMatchObject({
      term: 'user.perTenantUid',
      fix: 'start tenement as root',
    })
  })
})

describe('what is weighed', () => {
  it('is more for "nested" than for "permissive", and more for that than for the profiles that list what is allowed', async () => {
    const weighed = ['strict', 'default', 'permissive', 'nested'].map((profile) => weighProfile(profile, '/'))
    const [strict, byDefault, permissive, nested] = (await Promise.all(weighed)).map((surface) =>
      openKernel({ ...everything, surface }),
    )
    expect(strict).toBe(0)
    expect(byDefault).toBe(0)
    expect(permissive).toBeGreaterThan(0)
    expect(nested).toBeGreaterThan(permissive ?? 1)
    expect(nested).toBeLessThan(openKernel({ ...everything, surface: undefined }))
  })

  it('is more for a folder than for what is in it, and never less for a folder that takes the place of what is in it', () => {
    const ways = ['/', '/srv', '/srv/a', '/srv/a/b'].map((path) => wideness([path]))
    expect(ways).toEqual([...ways].sort((a, b) => b - a))
    expect(new Set(ways).size).toBe(ways.length)
    expect(wideness(['/srv/a', '/srv'])).toBeGreaterThan(wideness(['/srv/a', '/srv/a/b']))
    expect(wideness(['/srv/a/b', '/srv/a/b'])).toBeGreaterThanOrEqual(wideness(['/srv/a/b', '/srv/a/b/c']))
    expect(wideness([])).toBe(0)
  })
})

describe('a checked config', () => {
  const exposureFound = async (lines: string, over: Partial<IsolationAdapter>, on: Partial<CheckMachine> = {}) => {
    const jail = { ...adapterWith('jail', ['syscalls.filtered']), ...over }
    const text = `[service.api]\ncommand = "sh"\nisolation = "jail"\nseccomp = "own"\n${lines}`
    const { config } = readConfig({ file: '/srv/tenement.toml', text }, surroundings)
    return (await findingsOf(config, new Map([['jail', jail]]), { ...machine, ...on })).exposures.get('api')
  }
  const termsOf = (found: Awaited<ReturnType<typeof exposureFound>>) => found?.terms.map(({ term }) => term)

  it('counts programs that begin as root where plug-in and config both say so', async () => {
    const allowed = '[isolation.jail]\nplugin = "./jail.js"\nprivileged = true\n'
    expect(termsOf(await exposureFound(allowed, { privileged: true }))).toContain('privileged')
    expect(termsOf(await exposureFound(allowed, {}))).not.toContain('privileged')
    expect(termsOf(await exposureFound('', { privileged: true }))).not.toContain('privileged')
  })

  it('weighs the profile that is written, from the folder of the config', async () => {
    const asked: unknown[] = []
    const weighProfile: CheckMachine['weighProfile'] = async (...args) => {
      asked.push(args)
      return { dangers: 74, ofDangers: 74, allowsOthers: true }
    }
    expect(termsOf(await exposureFound('', {}, { weighProfile }))).toContain('syscalls.surface')
    expect(termsOf(await exposureFound('', {}))).not.toContain('syscalls.surface')
    expect(asked).toEqual([['own', '/srv']])
  })

  it('has no score where its profile cannot be read, its isolation cannot run here, or its options are not understood', async () => {
    const weighProfile = () => Promise.reject(new TenementError('invalid_profile', 'it is none'))
    expect(await exposureFound('', {}, { weighProfile })).toBeUndefined()
    expect(await exposureFound('', { probe: async () => ({ usable: false, lost: [] }) })).toBeUndefined()
    expect(await exposureFound('options = { no = 1 }\n', { options: flags({ nested: false }) })).toBeUndefined()
    expect(await exposureFound('', {})).toBeDefined()
  })

  it('fails with whatever else went wrong while its profile was weighed', async () => {
    const weighProfile = () => Promise.reject(new Error('a fault of ours'))
    await expect(exposureFound('', {}, { weighProfile })).rejects.toThrow('a fault of ours')
  })
})

describe('what would close it', () => {
  const fixOf = ({ terms: parts }: ReturnType<typeof builtin>, term: string) =>
    parts.find((part) => part.term === term)?.fix

  it('is another isolation where this one does not promise it, of those that would help', () => {
    const { terms: parts } = builtin('none')
    expect(parts[0]).toMatchObject({
      term: 'fs.privateRoot',
      fix: 'set service.api.isolation to "namespace" or "sandbox"',
    })
    // On the machine's network "namespace" would reach it just the same.
    expect(fixOf(builtin('none'), 'net.noLoopback')).toBe('set service.api.isolation to "sandbox"')
  })

  it('is never an isolation that cannot run here', () => {
    const probes = new Map([['sandbox', { usable: false, lost: [] }]])
    const { adapter, ...rest } = conditionsOf({ ...openGround, strengths: names.map(() => 2) })
    const { terms: parts } = exposureOf(plain, { adapter, ...rest }, { ...others, probes })
    expect(parts.find(({ term }) => term === 'fs.privateRoot')?.fix).toBe('set service.api.isolation to "namespace"')
  })

  it('is a key where the isolation keeps it for who asks, and following it closes the term', () => {
    expect(fixOf(builtin('namespace'), 'net.noMetadata')).toBe('set service.api.network to "private"')
    expect(fixOf(builtin('namespace', { network: 'private' }), 'net.noMetadata')).toBeUndefined()
    expect(fixOf(builtin('namespace'), 'res.memory')).toBe('set service.api.memory_max, such as "256MB"')
    expect(fixOf(builtin('namespace', { memoryMaxBytes: 1 }), 'res.memory')).toBeUndefined()
  })

  it('is the machine’s where it has lost every promise that would', () => {
    const lost = [{ capability: 'net.egress', reason: 'no tun', fix: 'modprobe tun' }]
    expect(fixOf(builtin('namespace', {}, lost), 'net.noLoopback')).toBe('set service.api.network to "private"')
    const more = [...lost, { capability: 'res.memory', reason: 'no controller', fix: 'delegate it' }]
    expect(fixOf(builtin('namespace', {}, more), 'res.memory')).toBe('delegate it')
  })

  it('stands at the key of the tenant that is exposed the most, where that is its own', () => {
    const exposure = builtin('sandbox', { tenant: { bob: { network: 'internet' }, eve: { write: ['/srv'] } } })
    expect(exposure.tenant).toBe('eve')
    expect(exposure.terms[0]).toMatchObject({ term: 'write', exposes: 'may write beyond its data: /srv' })
    expect(exposure.terms[0]?.fix).toContain('service.api.tenant.eve.write')
    expect(fixOf(exposure, 'disk.quota')).toBe('set service.api.storage_max, such as "1GB"')
  })

  it('is nothing where the promise is as weak as it is, and that is said', () => {
    const weak = builtin('sandbox', { storageMaxBytes: 1 })
    expect(weak.terms).toMatchObject([{ term: 'disk.quota', fix: undefined }])
    expect(weak.terms[0]?.exposes).toBe('may fill the disk, where it works against what is promised')
  })
})

const openGround: Ground = {
  strengths: names.map(() => 0),
  lost: names.map(() => false),
  missing: limitNames.map(() => true),
  ...{ network: 2, read: [], write: [], secrets: 0, accepted: 0, dangers: 0, tenants: [] },
  ...{ allowsOthers: false, isFiltered: true, startsAsRoot: false },
}
