import { describe, expect, test } from 'vitest'
import type { Expectation, Launch, LaunchPlan } from '../../../src/isolation/adapter.ts'
import { bubblewrapLaunch } from '../../../src/isolation/bubblewrap/launch.ts'
import { sandbox } from '../../../src/isolation/sandbox/index.ts'
import { requireAttestable } from '../../../src/supervisor/requireAttestable.ts'
import { layout, plan } from '../isolation/bubblewrap/plans.ts'

const launchOf = (given: LaunchPlan): Launch =>
  bubblewrapLaunch(given, { layout, isNested: false, tmpBytes: 1_048_576 })

const expecting = (change: Partial<Expectation>): Launch => {
  const launch = launchOf(plan)
  if (launch.expect === undefined) throw new Error('nothing is expected of it')
  return { ...launch, expect: { ...launch.expect, ...change } }
}

describe('a launch of an adapter that promises attestation', () => {
  test('is made as the adapters that come with tenement prepare it, in either network', () => {
    requireAttestable(sandbox, plan, launchOf(plan))
    const shared = { ...plan, network: 'host' } as const
    requireAttestable(sandbox, shared, launchOf(shared))
  })

  test.each([
    ['pid.private', { namespaces: ['user', 'mnt', 'ipc', 'uts', 'cgroup', 'net'] }],
    ['net.private', { namespaces: ['user', 'pid', 'mnt', 'ipc', 'uts', 'cgroup'] }],
    ['syscalls.filtered', { isFiltered: false }],
  ] as const)('is refused where "%s" would not be looked at', (capability, change) => {
    expect(() => requireAttestable(sandbox, plan, expecting(change))).toThrow(`promises "${capability}"`)
  })

  test('is refused where nothing would be looked at, unless attestation was never promised', () => {
    const { expect: _, ...launch } = launchOf(plan)
    expect(() => requireAttestable(sandbox, plan, launch)).toThrow('promises "launch.attested"')
    requireAttestable({ name: 'jail', capabilities: { 'pid.private': 'enforced' } }, plan, launch)
  })
})
