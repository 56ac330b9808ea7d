// A folder of a test's own below the system's temporary folder, gone when the test is over.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'tenement-state-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
