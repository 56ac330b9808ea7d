import { expect, test } from 'vitest'
import type { Fingerprint } from '../../../src/proof/fingerprint.ts'
import { lastProofOf } from '../../../src/proof/lastProof.ts'
import type { AttackReport } from '../../../src/proof/report.ts'
import type { Stored } from '../../../src/proof/store.ts'

const hourMs = 3_600_000
const fingerprint: Fingerprint = {
  kernel: '6.1 x64',
  bubblewrap: 'bubblewrap 0.8.0',
  libseccomp: '2.5.4',
  tenement: '0.1.0',
  node: 'v20.19.0',
  caller: 'root',
  cgroups: 'memory enforced',
}

const reportOf = (adapter: string, startedAtMs: number, broken: number): AttackReport => ({
  ...{ adapter, usable: true, problem: null, lost: [], startedAtMs, durationMs: 1, rows: [] },
  counts: { stopped: 1, allowed: 0, broken, 'not run': 0 },
})

const stored = (...reports: readonly AttackReport[]): Stored => ({
  version: 1,
  builds: [],
  adapters: Object.fromEntries(reports.map((report) => [report.adapter, { fingerprint, report }])),
})

const lineOf = async (found: Stored, names: readonly string[], now: Partial<Fingerprint> = {}): Promise<string> =>
  (await lastProofOf(found, names, { fingerprint: async () => ({ ...fingerprint, ...now }), atMs: 100 * hourMs })).line

test('a proof is as old as the oldest of what is used', async () => {
  const found = stored(reportOf('none', 99 * hourMs, 0), reportOf('sandbox', 28 * hourMs, 0))
  expect(await lineOf(found, ['none', 'sandbox'])).toBe('last proof: 3 days ago, 0 broken')
  expect(await lineOf(found, ['none'])).toBe('last proof: 1 hour ago, 0 broken')
})

test('a broken promise is not told as a proof alone', async () => {
  expect(await lineOf(stored(reportOf('none', 0, 2)), ['none'])).toBe(
    'last proof: 4 days ago, 2 broken: run tenement check --attack',
  )
})

test('each thing that changed is named with what it was and is', async () => {
  const found = stored(reportOf('none', 0, 0))
  expect(await lineOf(found, ['none'], { kernel: '6.2 x64', caller: 'user 1000' })).toBe(
    'last proof is stale: the kernel changed from 6.1 x64 to 6.2 x64; who runs tenement changed from root to user 1000: run tenement check --attack',
  )
})

test('what was never attacked is named where something else was', async () => {
  const found = stored(reportOf('none', 0, 0))
  expect(await lineOf(found, ['none', 'sandbox'])).toBe('never proved for sandbox: run tenement check --attack')
  expect(await lineOf(found, ['sandbox'])).toBe('never proved: run tenement check --attack')
  expect(await lineOf(stored(), ['constructor'])).toBe('never proved: run tenement check --attack')
})
