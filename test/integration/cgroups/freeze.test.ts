import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Cgroups } from '../../../src/cgroups/cgroups.ts'
import { thisMachine } from '../../../src/cgroups/machine.ts'
import type { RunCgroup } from '../../../src/cgroups/runCgroup.ts'
import { makeTestCgroups, onlyVersion2, startIn, whyNot } from '../../helpers/cgroups.ts'
import { isFrozen } from '../../helpers/frozen.ts'
import { isAlive } from '../../helpers/processes.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

/** Says so when it is asked to end, and begins a new process all the time. */
const busy = ['/bin/sh', '-c', 'trap "echo asked; exit 0" TERM; echo ready; while :; do /bin/true; done']

describe.each([
  { kernel: 'as this machine freezes', machine: thisMachine },
  { kernel: 'as version 2 freezes', machine: onlyVersion2 },
])('everything in a run, held still $kernel', ({ machine }) => {
  let cgroups: Cgroups
  let run: RunCgroup
  beforeEach(({ skip }) => {
    cgroups = makeTestCgroups(machine())
    const reason = whyNot(cgroups, ['kill'])
    if (reason !== undefined) skip(reason)
    run = cgroups.make('still', {})
  })
  afterEach(async () => {
    await run?.kill()
    await run?.remove()
    cgroups.close()
  })

  /** One order is not always enough for a shell that is about to start a program; src/cgroups/kill.ts says why. */
  const untilFrozen = (pid: number): Promise<void> =>
    waitUntil(() => {
      expect(run.setFrozen(true)).toBe(true)
      return isFrozen(pid)
    })

  const startFrozen = async () => {
    const program = startIn(run, busy)
    await waitUntil(() => program.output().includes('ready'))
    await untilFrozen(program.pid)
    return program
  }

  test('hears of a signal only when it goes on, and goes on where it stood', async () => {
    const program = await startFrozen()
    program.child.kill('SIGTERM')
    expect(isFrozen(program.pid)).toBe(true)
    expect(program.output()).not.toContain('asked')
    expect(run.setFrozen(false)).toBe(true)
    expect(await program.exited).toBe(0)
    expect(program.output()).toContain('asked')
  })

  test('is killed without being let go on first', async () => {
    const program = await startFrozen()
    expect(await run.kill()).toBe(true)
    expect(await program.exited).toBe('SIGKILL')
    expect(isAlive(program.pid)).toBe(false)
    expect(program.output()).not.toContain('asked')
  })

  test('may be held twice and let go twice', async () => {
    const program = await startFrozen()
    for (const on of [true, false, false, true]) expect(run.setFrozen(on)).toBe(true)
    await untilFrozen(program.pid)
    expect(run.isEmpty()).toBe(false)
  })
})
