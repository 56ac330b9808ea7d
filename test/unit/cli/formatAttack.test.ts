import { expect, test } from 'vitest'
import { formatProof } from '../../../src/cli/formatAttack.ts'
import type { Proof } from '../../../src/proof/prove.ts'
import { type AttackRow, countsOf } from '../../../src/proof/report.ts'

const row = (over: Partial<AttackRow>): AttackRow => ({
  ...{ row: '1', sentence: 'does no harm', network: null, outcome: 'stopped', promisedBy: [], because: [] },
  ...over,
})

const proofOf = (rows: readonly AttackRow[]): Proof => ({
  ok: !rows.some(({ outcome }) => outcome === 'broken'),
  startedAtMs: 0,
  durationMs: 1_000,
  fingerprint: { kernel: '', bubblewrap: '', libseccomp: '', tenement: '', node: '', caller: '', cgroups: '' },
  builds: [{ fault: 'CVE-1', what: 'it leaks', found: 'vulnerable', because: 'it did', fix: 'upgrade it', row: '19' }],
  adapters: [
    {
      ...{ adapter: 'none', usable: true, problem: null, lost: [], startedAtMs: 0, durationMs: 1_000 },
      rows,
      counts: countsOf(rows),
    },
  ],
})

const format = (rows: readonly AttackRow[]): string =>
  formatProof(proofOf(rows), { paint: (_, text) => text, columns: undefined })

test('what is broken comes first, with the promise, and the verdict names it', () => {
  const text = format([
    row({}),
    row({ row: '12', network: 'private', outcome: 'broken', promisedBy: ['net.private'], because: ['it got through'] }),
  ])
  expect(text.split('\n').slice(0, 6)).toEqual([
    'isolation "none": 1 stopped, 0 allowed by design, 1 broken, 0 not run, in 1.0s',
    'ROW  OUTCOME  AN INSTANCE',
    '12   BROKEN   not so: does no harm, on network "private"',
    '                promised by net.private',
    '                it got through',
    '1    stopped  does no harm',
  ])
  expect(text).toContain('broken: 1 promise on this machine: none 12\n→ ')
})

test('a known fault is told with what to do about it', () => {
  expect(format([row({})])).toContain('CVE-1        vulnerable    it leaks: it did')
  expect(format([row({})])).toContain('→ upgrade it')
  expect(format([row({})])).toContain('ok: no promise is broken on this machine')
})

test('it says that what a service opens by keys of its own was not tried', () => {
  expect(format([row({})])).toMatch(/tried as a service gets it that says nothing more: .*--exposure counts\n/)
})

test('what keeps many rows from being shown is told once', () => {
  const rows = ['1', '2', '3', '4', '5', '6'].map((number) =>
    row({ row: number, outcome: 'broken', promisedBy: ['launcher'], because: ['it could not be started: no space'] }),
  )
  const text = format(rows)
  expect(text.match(/could not be started/g)).toHaveLength(1)
  expect(text).toContain('6 rows  BROKEN   nothing is shown of rows 1, 2, 3, 4, 5, 6')
})
