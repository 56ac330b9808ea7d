// What a launcher proves of the runs that an earlier one recorded, before it ends any of their processes.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findLeftovers, writeRecord } from '../../../src/launcher/records.ts'

const run = '0123456789ab'

/** A run directory with the record of a program that runs, changed by what is given. */
const recorded = (change: Readonly<Record<string, unknown>> = {}) => {
  const runDir = mkdtempSync(join(tmpdir(), 'tenement-records-'))
  mkdirSync(join(runDir, 'launcher'))
  const child: ChildProcess = spawn('/bin/sleep', ['60'], { stdio: 'ignore', detached: true })
  onTestFinished(() => {
    child.kill('SIGKILL')
    rmSync(runDir, { recursive: true, force: true })
  })
  const pid = child.pid ?? 0
  writeRecord(runDir, { run, pid, uid: undefined, first: undefined, privileged: false })
  const file = join(runDir, 'launcher', `${run}.json`)
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }))
  return { runDir, pid }
}

test('a run whose process still has the pid and start time of its record is found, and its process proved', () => {
  const { runDir, pid } = recorded()
  const [found] = findLeftovers(runDir, undefined)
  expect(found).toMatchObject({ run, pid, group: { kind: 'session', leader: { pid } } })
})

test('L3.33 a run that was recorded before the machine was booted anew is none, whoever has its pid now', () => {
  const { runDir } = recorded({ boot: '11111111-2222-3333-4444-555555555555' })
  expect(findLeftovers(runDir, undefined)).toEqual([])
})

test('a pid that is another process by now proves nothing', () => {
  const { runDir } = recorded({ startTicks: 1 })
  expect(findLeftovers(runDir, undefined)).toMatchObject([{ run, group: { leader: undefined } }])
})
