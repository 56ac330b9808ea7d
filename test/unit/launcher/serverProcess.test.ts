import { expect, test } from 'vitest'
import { restartDelayMs } from '../../../src/launcher/serverProcess.ts'

test('a server that ended is started again at once, and ever later while it keeps ending young, up to ten seconds', () => {
  expect([0, 1, 2, 3, 7, 8, 50].map(restartDelayMs)).toEqual([0, 100, 200, 400, 6_400, 10_000, 10_000])
})
