// Without root a process is known by its environment, and for a moment of each execve(2) it has none: one that executes itself again
// and again is in that moment for much of its time, and is ended all the same.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { endGroup, runMarker } from '../../../src/launcher/processes.ts'
import { makeTemporaryDirectory } from '../../helpers/launcher.ts'
import { isAlive, withCommandLine } from '../../helpers/processes.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

let folder: string
let script: string
beforeEach(() => {
  folder = makeTemporaryDirectory()
  script = join(folder, 'again.sh')
  writeFileSync(script, 'exec /bin/sh "$0"\n')
})
afterEach(() => {
  for (const pid of withCommandLine(script)) process.kill(pid, 'SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

test('what is between two programs when it is looked for is found', async () => {
  const survivors: number[] = []
  for (let round = 0; round < 30; round += 1) {
    const run = randomBytes(6).toString('hex')
    const { pid = 0 } = spawn('/bin/sh', [script], {
      detached: true,
      stdio: 'ignore',
      env: { PATH: '/usr/bin:/bin', [runMarker]: run },
    })
    await waitUntil(() => withCommandLine(script).length > 0)
    await endGroup({ kind: 'session', leader: undefined, run }, () => undefined)
    if (isAlive(pid)) survivors.push(pid)
  }
  expect(survivors).toEqual([])
}, 120_000)
