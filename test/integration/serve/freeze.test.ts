// Instances that the kernel really holds still, in front of them a real server.
import { afterEach, describe, expect, test } from 'vitest'
import { isFrozen } from '../../helpers/frozen.ts'
import { isAlive } from '../../helpers/processes.ts'
import { isRoot } from '../../helpers/root.ts'
import { apps, type StartOptions, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const config = `
[service.api]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
freeze_after = "200ms"
[instances]
api = ["alice"]
`

describe.skipIf(!isRoot)('freeze_after', () => {
  let tenement: Tenement | undefined
  afterEach(async () => {
    await tenement?.stop()
    tenement = undefined
  })
  const start = async (options: Partial<StartOptions> = {}): Promise<Tenement> => {
    tenement = await startTenement({ config, ...options })
    return tenement
  }
  const whoami = async (server: Tenement): Promise<number> =>
    JSON.parse((await server.ask('alice.api.test', { path: '/whoami' })).body).pid
  const frozen = async (server: Tenement): Promise<number> => {
    const pid = await whoami(server)
    await waitUntil(() => isFrozen(pid))
    return pid
  }

  test('L3.25 L3.26 holds an instance still that nobody uses, and it answers the next request with the same process', async () => {
    const server = await start()
    const pid = await frozen(server)
    expect(await server.status('api:alice')).toMatchObject({ phase: 'frozen', pid, active: 0 })
    expect(await whoami(server)).toBe(pid)
    await waitUntil(() => isFrozen(pid))
  })

  test('a frozen instance that is to be stopped ends in order, by its stop signal', async () => {
    const server = await start()
    const pid = await frozen(server)
    expect(await server.command('stop', 'api:alice')).toMatchObject({ exitCode: 0 })
    expect(isAlive(pid)).toBe(false)
    expect((await server.status('api:alice')).lastExit).toMatchObject({ code: 0, signal: null })
  })

  test('a server that is started after a crash finds a frozen instance frozen, and lets it go on', async () => {
    const server = await start()
    const pid = await frozen(server)
    process.kill(await server.serverPid(), 'SIGKILL')
    await waitUntil(async () => (await server.status('api:alice').catch(() => ({}))).phase === 'frozen')
    expect(await whoami(server)).toBe(pid)
  })

  test('a frozen instance ends with tenement', async () => {
    const server = await start()
    const pid = await frozen(server)
    expect(await server.stop()).toBe(0)
    expect(isAlive(pid)).toBe(false)
  })
})
