import { closeSync, existsSync, mkdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Cgroups } from '../../../src/cgroups/cgroups.ts'
import type { RunCgroup } from '../../../src/cgroups/runCgroup.ts'
import type { Bounds } from '../../../src/cgroups/support.ts'
import { makeTestCgroups, startIn, whyNot } from '../../helpers/cgroups.ts'
import { isAlive } from '../../helpers/processes.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const mebibyte = 1024 ** 2

/** Takes memory and writes to it, so that it is really used. */
const allocate = (mebibytes: number): string[] => [
  'python3',
  '-c',
  `x = bytearray(${mebibytes} * 1024 * 1024)\nprint(len(x))`,
]

const forkMany = `
import os, time
forked = refused = 0
for _ in range(100):
    try:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        forked += 1
    except OSError as error:
        refused += 1
print(f"forked {forked} refused {refused}", flush=True)
time.sleep(60)`

describe('bounds that the kernel keeps', () => {
  let cgroups: Cgroups
  const runs: RunCgroup[] = []
  beforeEach(({ skip }) => {
    cgroups = makeTestCgroups()
    const reason = whyNot(cgroups, ['memory', 'processes', 'cpu', 'kill'])
    if (reason !== undefined) skip(reason)
  })
  afterEach(async () => {
    for (const run of runs.splice(0)) {
      await run.kill()
      await run.remove()
    }
    cgroups.close()
  })
  const make = (name: string, bounds: Bounds): RunCgroup => {
    const run = cgroups.make(name, bounds)
    runs.push(run)
    return run
  }

  test('an allocator over its memory bound is killed and counted, while its neighbour lives', async () => {
    const greedy = make('greedy', { memoryBytes: 64 * mebibyte })
    const neighbour = make('neighbour', { memoryBytes: 64 * mebibyte })
    const sleeper = startIn(neighbour, ['sleep', '60'])
    const eater = startIn(greedy, allocate(256))
    expect(await eater.exited).toBe('SIGKILL')
    expect(greedy.causes()).toEqual({ outOfMemory: true, refusedForks: 0 })
    expect(neighbour.causes()).toEqual({ outOfMemory: false, refusedForks: 0 })
    expect(isAlive(sleeper.pid)).toBe(true)
  })

  test('an allocator within its bound ends by itself and no cause is told', async () => {
    const run = make('modest', { memoryBytes: 128 * mebibyte })
    const eater = startIn(run, allocate(32))
    expect(await eater.exited).toBe(0)
    expect(eater.output()).toBe(`${32 * mebibyte}\n`)
    expect(run.causes()).toEqual({ outOfMemory: false, refusedForks: 0 })
  })

  test('what a run holds in memory is known while it runs', async () => {
    const run = make('holder', { memoryBytes: 256 * mebibyte })
    startIn(run, ['python3', '-c', 'x = bytearray(64 * 1024 * 1024)\nimport time\ntime.sleep(60)'])
    await waitUntil(() => (run.memoryBytes() ?? 0) > 64 * mebibyte)
    expect(run.memoryBytes()).toBeLessThan(128 * mebibyte)
  })

  test('a forker over its bound on processes is refused, and each refusal counted', async () => {
    const run = make('forker', { processes: 20 })
    const forker = startIn(run, ['python3', '-c', forkMany])
    await waitUntil(() => forker.output().includes('refused'))
    expect(forker.output()).toBe('forked 19 refused 81\n')
    expect(run.causes()).toEqual({ outOfMemory: false, refusedForks: 81 })
  })

  test('a spinner is held to its bound on processors', async () => {
    const run = make('spinner', { cpus: 0.2 })
    const spinner = startIn(run, ['sh', '-c', 'while :; do :; done'])
    await waitUntil(() => usedMs(spinner.pid) > 50)
    const [used, at] = [usedMs(spinner.pid), performance.now()]
    // Not a wait for something: the time over which it is measured, ten periods of the bound.
    await delay(1_000)
    const share = (usedMs(spinner.pid) - used) / (performance.now() - at)
    expect(share).toBeGreaterThan(0.02)
    expect(share).toBeLessThan(0.4)
  })

  test('a tenant can neither loosen its bounds nor leave them', async () => {
    const run = make('prisoner', { memoryBytes: 64 * mebibyte, processes: 20, cpus: 1 })
    const directories = directoriesOf(run)
    expect(directories.length).toBeGreaterThan(0)
    const attack = `
import os, sys
for directory in sys.argv[1:]:
    names = [os.path.join(directory, each) for each in os.listdir(directory)]
    for path in names + [os.path.join(directory, "..", each) for each in ("cgroup.procs", "tasks")]:
        try:
            os.close(os.open(path, os.O_WRONLY))
            print("OPENED", path)
        except OSError:
            pass
    try:
        os.mkdir(os.path.join(directory, "inner"))
        print("MADE", directory)
    except OSError:
        pass
print("done")`
    const prisoner = startIn(run, ['python3', '-c', attack, ...directories])
    expect(await prisoner.exited).toBe(0)
    expect(prisoner.output()).toBe('done\n')
    // Its owner may do what the tenant could not: it is the tenant's lack of rights that was seen.
    for (const directory of directories.filter((each) => !existsSync(join(each, 'cgroup.max.descendants')))) {
      mkdirSync(join(directory, 'inner'))
      rmdirSync(join(directory, 'inner'))
    }
  })

  test('a bound the kernel refuses leaves no cgroup behind and names its promise', () => {
    expect(() => cgroups.make('refused', { memoryBytes: 64 * mebibyte, processes: -5 })).toThrow(
      /the kernel refused processes = -5 \(res\.pids\)/,
    )
    // The name is free again: nothing of it was left.
    expect(() => make('refused', { memoryBytes: 64 * mebibyte, processes: 5 })).not.toThrow()
  })

  test('two runs never share a cgroup', () => {
    make('same', { processes: 5 })
    expect(() => cgroups.make('same', { processes: 50 })).toThrow(/EEXIST/)
  })
})

/** Processor time a process has used, from clock ticks of 10 ms (proc(5): utime and stime). */
const usedMs = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** The directories of a run. */
const directoriesOf = (run: RunCgroup): string[] =>
  run.joinFiles().map((fd) => {
    const path = readlinkSync(`/proc/self/fd/${fd}`)
    closeSync(fd)
    return dirname(path)
  })
