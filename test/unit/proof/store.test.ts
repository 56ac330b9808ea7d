import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { takeFingerprint } from '../../../src/proof/fingerprint.ts'
import { readProofs, storeProof } from '../../../src/proof/store.ts'

test('a proof that is stored before tenement ever ran leaves the folders above its own passable for tenants', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenement-proof-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const stateDir = join(folder, 'lib/tenement/state')
  await storeProof(
    stateDir,
    { ok: true, startedAtMs: 0, durationMs: 0, fingerprint: await takeFingerprint(), builds: [], adapters: [] },
    undefined,
  )
  expect((await readProofs(stateDir)).version).toBe(1)
  const modes = [stateDir, dirname(stateDir), join(folder, 'lib')].map((path) =>
    (statSync(path).mode & 0o777).toString(8),
  )
  expect(modes).toEqual(['700', '755', '755'])
})
