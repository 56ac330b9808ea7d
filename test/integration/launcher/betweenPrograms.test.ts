// Without root a process is known by its environment, wherever it is found in /proc. One that executes itself again and again has no
// environment for much of its time (execve(2)), and one that lives only until it has started the next is in no list that is made of
// them: both are ended all the same.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { endGroup } from '../../../src/launcher/endGroup.ts'
import { runMarker } from '../../../src/launcher/processes.ts'
import { makeTemporaryDirectory } from '../../helpers/launcher.ts'

let folder: string
let script: string
beforeEach(() => {
  folder = makeTemporaryDirectory()
  script = join(folder, 'again.sh')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Whether every process of a program has been ended: descriptor 3 is a pipe that all of them hold, which no list of processes tells. */
const isEnded = async (program: string): Promise<boolean> => {
  writeFileSync(script, `echo x >&3\n${program}\n`)
  const run = randomBytes(6).toString('hex')
  const env = { PATH: '/usr/bin:/bin', [runMarker]: run }
  const child = spawn('/bin/sh', [script], { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'pipe'], env })
  const held = child.stdio[3]
  if (child.pid === undefined || !(held instanceof Readable)) throw new Error('/bin/sh did not start')
  const gone = once(held, 'end').then(() => true)
  await once(held, 'data')
  held.resume()
  await endGroup({ kind: 'session', leader: undefined, run }, () => undefined)
  const isGone = await Promise.race([gone, delay(1_000, false)])
  if (!isGone) process.kill(-child.pid, 'SIGKILL')
  return isGone
}

const survivors = async (program: string, rounds: number): Promise<number> => {
  let survived = 0
  for (let round = 0; round < rounds; round += 1) if (!(await isEnded(program))) survived += 1
  return survived
}

test('what is between two programs when it is looked for is found', async () => {
  expect(await survivors('exec /bin/sh "$0"', 30)).toBe(0)
}, 120_000)

test('what was born behind a list of processes, of one that had ended when it was looked at, is found', async () => {
  expect(await survivors('/bin/sh "$0" &', 30)).toBe(0)
}, 120_000)
