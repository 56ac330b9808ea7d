import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { isAlive } from '../../helpers/processes.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

describe('a server that dies', () => {
  let launcher: TestLauncher
  beforeEach(async () => {
    launcher = await startTestLauncher()
  })
  afterEach(() => launcher.close())

  const kill = async (): Promise<void> => {
    const { serverPid } = await launcher.next(({ type }) => type === 'hello')
    process.kill(serverPid, 'SIGKILL')
  }
  const launch = async (script: string, id = 'alice', tenant = 1): Promise<{ run: string; pid: number }> => {
    const run = newRunName()
    const launched = launcher.launchOf({ argv: ['/bin/sh', '-c', script], tenant })
    const answer = await launcher.ask({
      type: 'launch',
      run,
      service: 'api',
      id,
      launch: launched,
      watch: false,
      note: { phase: 'starting' },
    })
    return { run, pid: answer.value.pid }
  }

  test('leaves every instance its pid, and the next server is told of it with the last note', async () => {
    const { run, pid } = await launch('sleep 60')
    await launcher.ask({ type: 'note', run, note: { phase: 'ready', readyAtMs: 5 } })
    const next = launcher.nextServer()
    await kill()
    expect((await next).runs).toEqual([
      expect.objectContaining({ run, pid, service: 'api', id: 'alice', note: { phase: 'ready', readyAtMs: 5 } }),
    ])
    expect(isAlive(pid)).toBe(true)
  })

  test('misses no exit: the next server is told', async () => {
    const { run, pid } = await launch('sleep 60')
    const { serverPid } = await launcher.next(({ type }) => type === 'hello')
    const next = launcher.nextServer()
    process.kill(serverPid, 'SIGKILL')
    await waitUntil(() => !isAlive(serverPid))
    process.kill(pid, 'SIGKILL')
    await next
    const told = await launcher.next(({ type, exits }) => type === 'exited' || exits?.length > 0)
    expect(told.type === 'exited' ? told : told.exits[0]).toMatchObject({ run, exit: { signal: 'SIGKILL' } })
  })

  test('is started again however often, and the launcher says why each time', async () => {
    for (let round = 0; round < 3; round += 1) {
      const next = launcher.nextServer()
      await kill()
      await next
    }
    expect(launcher.stderr().match(/the server ended and is started again/g)).toHaveLength(3)
    expect(launcher.stderr()).toContain('"signal":"SIGKILL"')
  })
})

describe('a launcher that dies', () => {
  test('takes its server with it, and the next one ends the instances it left, and no others', async () => {
    const first = await startTestLauncher()
    const run = newRunName()
    const launch = first.launchOf({ argv: ['/bin/sh', '-c', 'setsid sleep 61 & sleep 61'] })
    const { value } = await first.ask({
      type: 'launch',
      run,
      service: 'api',
      id: 'alice',
      launch,
      watch: false,
      note: null,
    })
    const { serverPid } = await first.next(({ type }) => type === 'hello')
    first.process.kill('SIGKILL')
    await once(first.process, 'exit')
    await waitUntil(() => !isAlive(serverPid))
    expect(isAlive(value.pid)).toBe(true)

    const second = await startTestLauncher({
      root: first.root,
      ...(first.policy.tenantUids ? { policy: { tenantUids: first.policy.tenantUids } } : {}),
    })
    try {
      expect(second.stderr()).toContain('ended what an earlier launcher had left behind')
      expect(isAlive(value.pid)).toBe(false)
      expect((await second.next(({ type }) => type === 'hello')).runs).toEqual([])
      expect(readdirSync(join(second.policy.runDir, 'launcher')).filter((name) => name.endsWith('.json'))).toEqual([])
    } finally {
      await second.close()
      await first.close()
    }
  })
})
