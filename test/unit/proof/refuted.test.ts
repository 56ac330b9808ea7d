import { describe, expect, test } from 'vitest'
import type { Fingerprint } from '../../../src/proof/fingerprint.ts'
import { accusedIn, withoutRefuted } from '../../../src/proof/refuted.ts'
import { type AttackRow, countsOf } from '../../../src/proof/report.ts'
import type { Stored } from '../../../src/proof/store.ts'
import { adapterWith } from '../check/fixtures.ts'

const now: Fingerprint = {
  ...{ kernel: '6.1', bubblewrap: '0.8', libseccomp: '2.5', tenement: '1', node: 'v20', caller: 'root', cgroups: '' },
}

const rowOf = (outcome: AttackRow['outcome'], row = '6.seen'): AttackRow => ({
  ...{ row, sentence: "it does not see its neighbour's process", network: null, outcome },
  ...{ promisedBy: ['pid.private'], because: [] },
})

const storedOf = (reports: Readonly<Record<string, readonly AttackRow[]>>, fingerprint = now): Stored => ({
  ...{ version: 1, builds: [] },
  adapters: Object.fromEntries(
    Object.entries(reports).map(([adapter, rows]) => [
      adapter,
      {
        fingerprint,
        report: {
          ...{ adapter, usable: true, problem: null, lost: [], startedAtMs: 0, durationMs: 1, rows },
          counts: countsOf(rows),
        },
      },
    ]),
  ),
})

const isolation = {
  adapters: new Map(['cage', 'sandbox'].map((name) => [name, adapterWith(name, [])])),
  faults: new Map([['gone', { reason: 'there is no such file', fix: 'install it' }]]),
}
const plugins = ['cage']

describe('a plug-in whose last proof failed', () => {
  test('provides no adapter, and says which row of which promise, and how to have it back', () => {
    const stored = storedOf({ cage: [rowOf('stopped', '1'), rowOf('broken'), rowOf('broken', '62')] })
    const { adapters, faults } = withoutRefuted(isolation, { stored, plugins, now })
    expect([...adapters.keys()]).toEqual(['sandbox'])
    expect([...faults.keys()]).toEqual(['gone', 'cage'])
    expect(faults.get('cage')?.reason).toBe(
      'its last proof on this machine found 2 broken: row 6.seen of pid.private, "it does not see its neighbour\'s process", and 1 more',
    )
    expect(faults.get('cage')?.fix).toMatch(/"tenement check --attack"/)
  })

  test('is taken as before where something changed that it was proved on', () => {
    const stored = storedOf({ cage: [rowOf('broken')] }, { ...now, kernel: '6.0' })
    expect(withoutRefuted(isolation, { stored, plugins, now })).toEqual(isolation)
  })
})

test.each([
  ['nothing was proved', storedOf({})],
  ['nothing was broken', storedOf({ cage: [rowOf('stopped'), rowOf('allowed'), rowOf('not run')] })],
  ['it is not the plug-in that failed', storedOf({ sandbox: [rowOf('broken')] })],
])('where %s everything stays', (_, stored) => {
  expect(accusedIn(stored, plugins)).toEqual([])
  expect(withoutRefuted(isolation, { stored, plugins, now })).toEqual(isolation)
})
