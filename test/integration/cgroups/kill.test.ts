import { closeSync, existsSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Cgroups, createCgroups } from '../../../src/cgroups/cgroups.ts'
import { thisMachine } from '../../../src/cgroups/machine.ts'
import type { RunCgroup } from '../../../src/cgroups/runCgroup.ts'
import { signalIf } from '../../../src/launcher/libc.ts'
import { makeTestCgroups, newRunDir, onlyVersion2, startIn, whyNot } from '../../helpers/cgroups.ts'
import { isAlive, withCommandLine } from '../../helpers/processes.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

/**
 * Every process starts two more and ends, so that none lives longer than a millisecond: whoever lists them and then kills what was
 * listed finds most of them gone. Perl, since its fork is quick and every Debian has it; below a subreaper that has the kernel
 * bury its children (prctl(2), PR_SET_CHILD_SUBREAPER), or unburied ones would count against the uid's processes and end the storm.
 */
const forkStorm = (mark: string): string[] => [
  ...['/usr/bin/prlimit', '--nproc=60', '--', 'python3', '-c'],
  `import ctypes, os, signal, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
storm = "while (1) { my $pid = fork(); next unless defined $pid; if ($pid) { syswrite(STDOUT, q(x)); fork(); exit 0 } } # ${mark}"
if os.fork() == 0:
    os.execv("/usr/bin/perl", ["perl", "-e", storm])
while True:
    time.sleep(60)`,
]

const stubborn = (mark: string): string[] => [
  'python3',
  '-c',
  `import os, signal, time # ${mark}
for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(each, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    while True:
        time.sleep(60)
print("ready", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)`,
]

describe.each([
  { kernel: 'as this machine kills', machine: thisMachine },
  { kernel: 'as version 2 kills', machine: onlyVersion2 },
])('the end of everything in a run, $kernel', ({ machine }) => {
  let cgroups: Cgroups
  let run: RunCgroup
  beforeEach(({ skip }) => {
    cgroups = makeTestCgroups(machine())
    const reason = whyNot(cgroups, ['kill'])
    if (reason !== undefined) skip(reason)
    run = cgroups.make('storm', {})
  })
  afterEach(async () => {
    await run?.kill()
    await run?.remove()
    cgroups.close()
  })

  test('a storm of forks is empty after one kill', async () => {
    const mark = `storm-${process.pid}-${performance.now()}`
    const storm = startIn(run, forkStorm(mark))
    // One for each process that has started the next: whoever lists them misses most.
    await waitUntil(() => storm.output().length > 50)
    expect(run.isEmpty()).toBe(false)
    expect(await run.kill()).toBe(true)
    expect(run.isEmpty()).toBe(true)
    expect(withCommandLine(mark)).toEqual([])
    await storm.exited
  })

  test('what ignores signals, left its session or is stopped ends too', async () => {
    const mark = `stubborn-${process.pid}-${performance.now()}`
    const started = startIn(run, stubborn(mark))
    await waitUntil(() => started.output().includes('ready') && withCommandLine(mark).length === 2)
    expect(await run.kill()).toBe(true)
    expect(withCommandLine(mark)).toEqual([])
  })

  test('a neighbour of its own uid outside of the run lives on', async () => {
    const other = cgroups.make('other', {})
    const outside = startIn(other, ['sleep', '60'])
    const inside = startIn(run, ['sleep', '60'])
    await waitUntil(() => run.contains(inside.pid) && other.contains(outside.pid))
    await run.kill()
    expect(await inside.exited).toBe('SIGKILL')
    expect(isAlive(outside.pid)).toBe(true)
    await other.kill()
    await other.remove()
  })

  test('a program whose run was removed before it could join is never executed', async () => {
    const gone = cgroups.make('gone', {})
    const files = gone.joinFiles()
    await gone.remove()
    const late = startIn({ joinFiles: () => files }, ['echo', 'executed'])
    expect(await late.exited).not.toBe(0)
    expect(late.output()).not.toContain('executed')
  })

  test('an empty run is killed at once', async () => {
    expect(run.isEmpty()).toBe(true)
    expect(await run.kill()).toBe(true)
  })

  test('a process that is moved in from outside is in it, and its place is told', async () => {
    const other = cgroups.make('other', {})
    const moved = startIn(other, ['sleep', '60'])
    await waitUntil(() => other.contains(moved.pid))
    expect(run.placeOf(moved.pid)).toBeUndefined()
    await run.join(moved.pid)
    expect(run.placeOf(moved.pid)).toMatch(/:\/.*\/storm$/)
    expect(other.contains(moved.pid)).toBe(false)
    await run.kill()
    await moved.exited
    expect(run.contains(moved.pid)).toBe(false)
    await expect(run.join(moved.pid)).rejects.toThrow('ESRCH')
    await other.remove()
  })

  test('a run is not removed while something is in it, and says so', async () => {
    const started = startIn(run, ['sleep', '60'])
    await waitUntil(() => run.contains(started.pid))
    await expect(run.remove()).rejects.toThrow(/still holds a process/)
    expect(isAlive(started.pid)).toBe(true)
  })

  test('what a launcher that died left is ended by the next one of its run directory, and by no other', async () => {
    const runDir = newRunDir()
    const first = createCgroups({ runDir, signalIf, machine: machine() })
    const leftRun = first.make('left', {})
    const left = startIn(leftRun, ['sleep', '60'])
    first.make('empty', {})
    await waitUntil(() => leftRun.contains(left.pid))
    expect(await cgroups.removeLeftovers()).toEqual([])
    expect(isAlive(left.pid)).toBe(true)
    const next = createCgroups({ runDir, signalIf, machine: machine() })
    expect(await next.removeLeftovers()).toEqual([])
    expect(await left.exited).toBe('SIGKILL')
    expect(() => next.make('left', {})).not.toThrow()
    await next.removeLeftovers()
    next.close()
  })
})

test('where the kernel has no command that kills, nothing is signalled that could still fork', async ({ skip }) => {
  const states: string[] = []
  const runDir = newRunDir()
  const spy: typeof signalIf = (pid, signal, isMeant) => {
    const state = /^State:\t(.)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 'gone'
    states.push(`${readFileSync(`${freezer}/freezer.state`, 'latin1').trim()} ${state}`)
    return signalIf(pid, signal, isMeant)
  }
  const cgroups = createCgroups({ runDir, signalIf: spy })
  const run = cgroups.make('storm', {})
  const [file] = run.joinFiles()
  if (file === undefined) return skip('only root is sure to have cgroups')
  const freezer = dirname(readlinkSync(`/proc/self/fd/${file}`))
  closeSync(file)
  if (!existsSync(`${freezer}/freezer.state`))
    skip('this machine has no freezer of version 1: its kernel kills by itself')
  const spinner = startIn(run, ['sh', '-c', 'while :; do :; done'])
  await waitUntil(() => run.contains(spinner.pid))
  await run.kill()
  expect(await spinner.exited).toBe('SIGKILL')
  expect(states).toEqual(['FROZEN D'])
  await run.remove()
  cgroups.close()
})

test('a machine without cgroups refuses a bound, naming its promise, and runs what asks for none', async () => {
  const cgroups = makeTestCgroups({ ...thisMachine(), mountinfo: '', selfCgroup: '' })
  expect(() => cgroups.make('bounded', { memoryBytes: 1024 ** 2 })).toThrow(/cannot bound memory \(res\.memory\)/)
  const run = cgroups.make('free', {})
  expect(run.joinFiles()).toEqual([])
  expect(run.isEmpty()).toBeUndefined()
  expect(await run.kill()).toBe(false)
  await run.remove()
})
