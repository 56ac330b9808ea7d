import { describe, expect, test } from 'vitest'
import type { Expectation, Launch, LaunchPlan } from '../../../src/isolation/adapter.ts'
import { bubblewrapFloor } from '../../../src/isolation/bubblewrap/floor.ts'
import { bubblewrapLaunch } from '../../../src/isolation/bubblewrap/launch.ts'
import { none } from '../../../src/isolation/none/index.ts'
import { unreachableFor } from '../../../src/isolation/unreachable.ts'
import { brokenRule, floorOf, type OwnPlaces } from '../../../src/launcher/floor.ts'
import { layout, plan } from '../isolation/bubblewrap/plans.ts'

const mebibyte = 1024 ** 2
const here = { ...layout, unreachable: unreachableFor({}) }
const launchOf = (over: Partial<LaunchPlan> = {}): Launch =>
  bubblewrapLaunch({ ...plan, ...over }, { layout: here, isNested: false, tmpBytes: mebibyte })
const floorOfPlan = (over: Partial<LaunchPlan> = {}) => bubblewrapFloor({ ...plan, ...over })

/** What the plan's service was granted, as the launcher's policy has it. */
const own: OwnPlaces = {
  readable: ['/srv/notes', '/srv/fonts'],
  writable: ['/run/tenement/grants/1'],
  made: ['/data/alice'],
}

const socket: LaunchPlan['reach'] = { kind: 'fd', socket: '/run/tenement/s/0123456789ab.sock' }

describe('a launch as its isolation makes it', () => {
  test.each<[string, Partial<LaunchPlan>]>([
    ['with a network of its own', {}],
    ["with the machine's network", { network: 'host' }],
    ['with a way out', { network: 'internet' }],
    ['with an inherited socket', { reach: socket }],
    ['with a bound on what it stores', { limits: { ...plan.limits, storageBytes: mebibyte } }],
    ['without root', { identity: undefined }],
  ])('is not below its floor %s', (_, over) => {
    expect(brokenRule(floorOfPlan(over), launchOf(over), own)).toBe(undefined)
  })

  test('is not below its floor without any isolation', async () => {
    const limits = { memoryBytes: mebibyte, openFiles: 100, storageBytes: mebibyte }
    const floor = await none.floorFor?.({ network: 'host', limits, options: {} })
    expect(floor).toBeDefined()
    expect(brokenRule(floor ?? {}, await none.prepare({ ...plan, network: 'host', limits }), own)).toBe(undefined)
  })
})

describe('a launch of a confined service is below its floor', () => {
  const launch = launchOf({ limits: { ...plan.limits, storageBytes: mebibyte } })
  const floor = floorOfPlan({ limits: { ...plan.limits, storageBytes: mebibyte } })
  const { expect: expected, ...unexpected } = launch
  const { storage, ...unstored } = launch
  const expecting = (over: Partial<Expectation>): Partial<Launch> =>
    expected === undefined ? {} : { expect: { ...expected, ...over } }

  const showing = (point: string, isWritable: boolean, source?: string): Launch => ({
    ...launch,
    ...expecting({
      mounts: { ...expected?.mounts, [point]: isWritable },
      sources: { ...expected?.sources, ...(source === undefined ? {} : { [point]: source }) },
    }),
  })

  test.each<[string, Launch, RegExp]>([
    ['where nothing is expected of it', unexpected, /held and attested/],
    ['where another program starts it', { ...launch, argv: ['/bin/sh', '-c', 'true'] }, /started by \/usr\/bin\/bwrap/],
    ['where the confining program would load a library', { ...launch, env: { LD_PRELOAD: '/x' } }, /empty environment/],
    ['where it is the process that is started', { ...launch, depth: 0 }, /2 processes below/],
    ['where it is one process further down', { ...launch, depth: 3 }, /2 processes below/],
    ["where it shares the machine's network", { ...launch, ...expecting({ namespaces: ['user', 'pid'] }) }, /own$/],
    ['where it has no filter', { ...launch, ...expecting({ isFiltered: false }) }, /filter/],
    [
      'where it inherits a directory of the machine',
      { ...launch, ...expecting({ descriptors: [0, 1, 2, 20] }) },
      /descriptor 20/,
    ],
    ['where it is shown what nobody says what it is', showing('/extra', false), /nothing at \/extra/],
    ['where it is shown the machine', showing('/extra', false, '/'), /\/ at \/extra is not/],
    ['where it may write programs of the machine', showing('/extra', true, '/usr'), /\/usr at \/extra/],
    ['where it may write its code', showing('/extra', true, '/srv/notes'), /\/srv\/notes at \/extra/],
    ["where it is shown another's data", showing('/extra', false, '/data/bob'), /\/data\/bob at \/extra/],
    ['where it may write a cgroup', showing('/extra', true, 'cgroup'), /cgroup at \/extra/],
    ['where it has an uplink', { ...launch, uplink: ['/usr/bin/pasta'] }, /no uplink/],
    ['where its memory has no bound', { ...launch, resources: { cpus: 1, processes: 64 } }, /memoryBytes/],
    ['where a bound is a wider one', { ...launch, resources: { ...launch.resources, processes: 65 } }, /processes/],
    ['where a limit is missing', { ...launch, limits: { ...launch.limits, nofile: 1e6 } }, /nofile is at most 1024/],
    ['where what it stores has no bound', unstored, /stores/],
  ])('%s', (_, weaker, rule) => {
    expect(brokenRule(floor, weaker, own)).toMatch(rule)
  })

  test('where its uplink is another program, or leads to private networks', () => {
    const outward = launchOf({ network: 'internet' })
    const internet = floorOfPlan({ network: 'internet' })
    const { uplink = ['/usr/bin/pasta'] } = outward
    expect(brokenRule(internet, { ...outward, uplink: ['/bin/sh', '-c', 'id'] }, own)).toMatch(/its uplink is/)
    expect(brokenRule(internet, { ...outward, uplink: [...uplink, '-t', 'auto'] }, own)).toMatch(/its uplink is/)
    expect(brokenRule(internet, { ...outward, unreachable: [] }, own)).toMatch(/unreachable/)
    const { unreachable = [] } = outward
    const withoutMetadata = unreachable.filter((network) => network !== '169.254.0.0/16')
    expect(brokenRule(internet, { ...outward, unreachable: withoutMetadata }, own)).toBe(
      '169.254.0.0/16 is unreachable from it',
    )
  })
})

test('the floor of a tenant counts before that of its service, and no service has the name of what every object has', () => {
  const floors = { api: {}, 'api:big': { resources: { processes: 1 } } }
  expect(floorOf(floors, { service: 'api', id: 'big' })).toBe(floors['api:big'])
  expect(floorOf(floors, { service: 'api', id: 'small' })).toBe(floors.api)
  expect(floorOf(floors, { service: 'web', id: 'big' })).toBe(undefined)
  expect(floorOf(floors, { service: 'constructor', id: 'a' })).toBe(undefined)
})
