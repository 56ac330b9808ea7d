import { existsSync, readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Message, newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { isAlive, withCommandLine } from '../../helpers/processes.ts'
import { testAsRoot } from '../../helpers/root.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

describe('the end of an instance', () => {
  let launcher: TestLauncher
  let mark: string
  beforeEach(async () => {
    launcher = await startTestLauncher()
    // sleep(1) takes any number: one that nobody else sleeps for marks our processes.
    mark = `31${Math.floor(Math.random() * 1e9)}.5`
  })
  afterEach(() => launcher.close())

  const start = async (script: string): Promise<{ run: string; pid: number }> => {
    const run = newRunName()
    const launch = launcher.launchOf({ argv: ['/bin/sh', '-c', script] })
    const { value } = await launcher.ask({
      type: 'launch',
      run,
      service: 'api',
      id: 'alice',
      launch,
      watch: true,
      note: null,
    })
    return { run, pid: value.pid }
  }
  const stop = (run: string, timeoutMs = 10_000): Promise<Message> =>
    launcher.ask({ type: 'stop', run, signal: 'SIGTERM', timeoutMs })

  test('comes with the stop signal where the application heeds it', async () => {
    const { run } = await start(`trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done`)
    await launcher.next(({ type, lines }) => type === 'output' && lines.includes('up'))
    await stop(run)
    expect(await launcher.next(({ type }) => type === 'exited')).toMatchObject({
      exit: { code: 0, lastLines: ['up', 'bye'] },
    })
  })

  test('comes with SIGKILL after stop_timeout where it does not', async () => {
    const { run } = await start(`trap '' TERM; echo up; while :; do sleep 0.05; done`)
    await launcher.next(({ type, lines }) => type === 'output' && lines.includes('up'))
    await stop(run, 100)
    expect(await launcher.next(({ type }) => type === 'exited')).toMatchObject({
      exit: { signal: 'SIGKILL', outOfMemory: false },
    })
  })

  test('takes children with it that left for a session of their own', async () => {
    const { run } = await start(
      `setsid sleep ${mark} & setsid sh -c 'setsid sleep ${mark} & sleep ${mark}' & echo up; wait`,
    )
    await waitUntil(() => withCommandLine(`sleep\0${mark}`).length === 3)
    await stop(run)
    expect(withCommandLine(mark)).toEqual([])
  })

  test('takes children with it that a normal exit of the application left behind', async () => {
    await start(`setsid sleep ${mark} & exit 0`)
    expect(await launcher.next(({ type }) => type === 'exited')).toMatchObject({ exit: { code: 0 } })
    expect(withCommandLine(mark)).toEqual([])
  })

  test('takes a storm of forks with it', async () => {
    const { run } = await start(
      `storm() { sleep ${mark} & while :; do (setsid sleep ${mark} &) ; done; }; storm & storm & echo up; wait`,
    )
    await waitUntil(() => withCommandLine(mark).length > 20)
    await stop(run, 0)
    expect(withCommandLine(mark)).toEqual([])
  })

  testAsRoot('comes to an instance that stops every process of its uid it can find', async () => {
    // As root alone: under the uid of whoever runs the tests it would stop them all.
    const fight = [
      'import os, signal',
      'signal.signal(signal.SIGTERM, signal.SIG_IGN)',
      'os.fork()',
      'print("up", flush=True)',
      'while True:',
      '  try: os.kill(-1, signal.SIGSTOP)',
      '  except ProcessLookupError: pass',
    ].join('\n')
    const run = newRunName()
    const launch = launcher.launchOf({ argv: ['/usr/bin/python3', '-c', fight, mark] })
    await launcher.ask({ type: 'launch', run, service: 'api', id: 'alice', launch, watch: true, note: null })
    await launcher.next(({ type, lines }) => type === 'output' && lines.includes('up'))
    await stop(run, 50)
    expect(await launcher.next(({ type }) => type === 'exited')).toMatchObject({ exit: { signal: 'SIGKILL' } })
    expect(withCommandLine(mark)).toEqual([])
  })

  test('comes to a process whose first thread is gone while another runs on', async () => {
    const hide = [
      'import ctypes, platform, signal, threading, time',
      'signal.signal(signal.SIGTERM, signal.SIG_IGN)',
      'threading.Thread(target=lambda: [time.sleep(0.01) for _ in iter(int, 1)]).start()',
      'print("up", flush=True)',
      'ctypes.CDLL(None).syscall(60 if platform.machine() == "x86_64" else 93, 0)',
    ].join('\n')
    const run = newRunName()
    const launch = launcher.launchOf({ argv: ['/usr/bin/python3', '-c', hide] })
    const { value } = await launcher.ask({
      type: 'launch',
      run,
      service: 'api',
      id: 'alice',
      launch,
      watch: true,
      note: null,
    })
    await launcher.next(({ type, lines }) => type === 'output' && lines.includes('up'))
    await waitUntil(() => !isAlive(value.pid)) // so it seems: its first thread is a zombie
    expect(readdirSync(`/proc/${value.pid}/task`).length).toBe(2)
    await stop(run, 50)
    expect(await launcher.next(({ type }) => type === 'exited')).toMatchObject({ exit: { signal: 'SIGKILL' } })
    expect(existsSync(`/proc/${value.pid}`)).toBe(false)
  })

  test('is of the started instance alone', async () => {
    const first = await start(`exec sleep ${mark}`)
    const launch = launcher.launchOf({
      argv: ['/bin/sleep', `${mark}`],
      tenant: 2,
    })
    await launcher.ask({
      type: 'launch',
      run: newRunName(),
      service: 'api',
      id: 'bob',
      launch,
      watch: false,
      note: null,
    })
    await stop(first.run)
    await waitUntil(() => withCommandLine(mark).length === 1)
    expect(isAlive(first.pid)).toBe(false)
  })

  test('of the whole launcher leaves no process behind', async () => {
    await start(`setsid sleep ${mark} & sleep ${mark}`)
    await waitUntil(() => withCommandLine(`sleep\0${mark}`).length === 2)
    launcher.process.kill('SIGTERM')
    await launcher.next(({ type }) => type === 'end') // told, but this server never obeys
    launcher.process.kill('SIGTERM')
    await waitUntil(() => launcher.process.exitCode !== null)
    expect(withCommandLine(mark)).toEqual([])
  })
})
