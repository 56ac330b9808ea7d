import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { residentMegabytes } from '../../helpers/processes.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

describe('the log of an instance', () => {
  let launcher: TestLauncher
  beforeEach(async () => {
    launcher = await startTestLauncher()
  })
  afterEach(() => launcher.close())

  const directory = (): string => join(launcher.policy.logDir, 'api')
  const file = (): string => join(directory(), 'alice.log')
  const start = async (script: string): Promise<string> => {
    const run = newRunName()
    const launch = launcher.launchOf({ argv: ['/bin/sh', '-c', script] })
    await launcher.ask({ type: 'launch', run, service: 'api', id: 'alice', launch, watch: false, note: null })
    return run
  }
  const finish = async (script: string): Promise<string> => {
    const run = await start(script)
    await launcher.next((message) => message.type === 'exited' && message.run === run)
    return readFileSync(file(), 'latin1')
  }

  test('is rotated by size and keeps no more files than asked', async () => {
    // 200 kB a file and three files are set; the burst allowed is 500 kB at a time.
    for (let round = 0; round < 3; round += 1) await finish(`yes '${'x'.repeat(99)}' | head -n 2600`)
    expect(readdirSync(directory()).sort()).toEqual(['alice.log', 'alice.log.1', 'alice.log.2'])
    for (const name of readdirSync(directory()))
      expect(readFileSync(join(directory(), name)).length).toBeLessThanOrEqual(200_000)
  })

  test('counts what came too fast and was dropped, while the instance goes on and memory stays', async () => {
    const before = residentMegabytes(launcher.process.pid ?? 0)
    const run = await start(
      `yes '${'y'.repeat(99)}' | head -c 30000000; echo through > ${launcher.code}/through 2>/dev/null; sleep 60`,
    )
    await waitUntil(() => existsSync(file()))
    // The flood is over when the shell that ran it sleeps: its second child.
    await waitUntil(() => readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && isSleeping(pid)), 15_000)
    expect(residentMegabytes(launcher.process.pid ?? 0) - before).toBeLessThan(40)
    await launcher.ask({ type: 'stop', run, signal: 'SIGTERM', timeoutMs: 1_000 })
    await launcher.next((message) => message.type === 'exited' && message.run === run)
    const text = readdirSync(directory())
      .map((name) => readFileSync(join(directory(), name), 'utf8'))
      .join('')
    const dropped = [...text.matchAll(/Z log (\d+) lines of (\d+) bytes dropped/g)].reduce(
      (sum, [, , bytes]) => sum + Number(bytes),
      0,
    )
    expect(dropped).toBeGreaterThan(28_000_000)
    expect(dropped).toBeLessThan(30_000_000)
  })

  test('is not filled past its allowance by lines that hold nothing', async () => {
    const text = await finish(`yes '' | head -c 4000000`)
    const dropped = [...text.matchAll(/Z log (\d+) lines of \d+ bytes dropped/g)].map(([, lines]) => Number(lines))
    // 500 kB are let through at once and 50 kB a second, in which an empty line counts as the 30 bytes that it is in the log.
    expect(dropped.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(3_900_000)
  })

  const isSleeping = (pid: string): boolean => {
    try {
      const parent = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[1]
      return (
        readFileSync(`/proc/${pid}/cmdline`, 'latin1') === 'sleep\x0060\0' &&
        readFileSync(`/proc/${parent}/cmdline`, 'latin1').includes(launcher.code)
      )
    } catch {
      return false
    }
  }

  test('takes a line without end in pieces', async () => {
    const text = await finish(`head -c 40000 /dev/zero | tr '\\0' z`)
    expect(
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => line.length - 'YYYY-MM-DDTHH:MM:SS.mmmZ out '.length),
    ).toEqual([16_384, 16_384, 7_232])
  })

  test('takes any bytes as they are', async () => {
    const text = await finish(`printf 'a\\033[31m\\000\\377b\\n'`)
    expect(text.slice(-16)).toBe('Z out a\x1b[31m\0\xffb\n')
  })

  test('is never written through a symlink, and the instance runs all the same', async () => {
    await finish('echo first')
    const canary = join(launcher.root, 'canary')
    writeFileSync(canary, 'kept')
    rmSync(file())
    symlinkSync(canary, file())
    const run = await start('echo second')
    expect(await launcher.next((message) => message.type === 'exited' && message.run === run)).toMatchObject({
      exit: { code: 0, lastLines: ['second'] },
    })
    expect(readFileSync(canary, 'utf8')).toBe('kept')
  })

  test('is not written into a directory that a symlink leads to', async () => {
    const canary = join(launcher.root, 'elsewhere')
    rmSync(directory(), { recursive: true, force: true })
    symlinkSync(canary, directory())
    const run = await start('echo hello')
    expect(await launcher.next((message) => message.type === 'exited' && message.run === run)).toMatchObject({
      exit: { code: 0 },
    })
    expect(existsSync(canary)).toBe(false)
  })

  test('goes on in the directory made anew when somebody removed it', async () => {
    await finish('echo first')
    rmSync(directory(), { recursive: true })
    expect(await finish('echo second')).toContain('out second')
  })
})
