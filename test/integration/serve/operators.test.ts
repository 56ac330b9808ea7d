import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeTemporaryDirectory } from '../../helpers/launcher.ts'
import { newTenantUids } from '../../helpers/tenantUids.ts'
import { apps, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const config = `
[service.api]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
idle_timeout = "1m"
[service.broken]
command = "sh -c 'echo no database; exit 3'"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
[instances]
api = ["alice", "bob"]
broken = ["alice"]
`

/** Kept over restarts. */
const root = makeTemporaryDirectory()
const tenantUids = newTenantUids()
const start = (): Promise<Tenement> =>
  startTenement({ config, settings: 'hold_timeout = "1500ms"', root, tenantUids, startTimeoutMs: 60_000 })

let tenement: Tenement
beforeAll(async () => {
  tenement = await start()
}, 90_000)
afterAll(async () => {
  await tenement.stop()
  rmSync(root, { recursive: true, force: true })
}, 60_000)

const why = async (...args: readonly string[]): Promise<string> => {
  const { stdout, stderr, exitCode } = await tenement.command('why', ...args)
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
  return stdout
}
const phaseOf = async (instance: string): Promise<unknown> => (await tenement.status(instance)).phase

describe('why', { timeout: 60_000 }, () => {
  test('tells the request that woke an instance without its query, path, cookies or any other header', async () => {
    expect(await why('api:alice')).toMatch(/^api:alice is asleep: nobody has asked for it since /)
    const headers = {
      accept: 'text/html',
      cookie: 'session=very-secret',
      'user-agent': 'spy',
      authorization: 'Bearer x',
    }
    await tenement.ask('Alice.api.test', { path: '/page?token=very-secret', headers })
    const told = await why('api:alice')
    expect(told).toMatch(/^api:alice is ready since \d\d:\d\d:\d\d /)
    expect(told).toMatch(/it was woken at .* by a request: GET from a browser for alice\.api\.test\n/)
    expect(told).toMatch(/it will be put to sleep at \d\d:\d\d:\d\d \(in \S+\) if nobody uses it$/)
    const account = JSON.parse(await why('api:alice', '--json'))
    expect(account.woken.request).toEqual({ method: 'GET', host: 'alice.api.test', client: 'browser' })
    for (const secret of ['very-secret', 'token', 'page', 'session', 'spy', 'Bearer'])
      expect(JSON.stringify(account)).not.toContain(secret)
  })

  test('tells how an instance crashes, with its last lines, the next try and what to do', async () => {
    await tenement.ask('alice.broken.test')
    const told = await why('broken:alice')
    expect(told).toMatch(/it last crashed at .*: exited with code 3 after /)
    expect(told).toContain('its last lines:\n  | no database\n')
    // Once it is crash-looped another wake would try it again, and have it refused for longer.
    await waitUntil(async () => {
      if ((await phaseOf('broken:alice')) === 'crashlooped') return true
      await tenement.command('wake', 'broken:alice')
      return false
    }, 50_000)
    const alone = await why('broken:alice')
    expect(alone).toMatch(/^broken:alice is crashlooped since /)
    expect(alone).toMatch(/requests are refused until \d\d:\d\d:\d\d \(in (4m|5m).*\); then the next one tries once\n/)
    expect(alone).toMatch(/\n→ tenement logs broken:alice; .*tenement enable broken:alice/)
  })

  test('names the instance that was meant by a name that is none', async () => {
    const { stderr, exitCode } = await tenement.command('why', 'api:alise')
    expect({ stderr, exitCode }).toEqual({
      exitCode: 1,
      stderr: 'error: there is no instance api:alise (unknown_instance)\n→ did you mean "api:alice"?',
    })
  })
})

describe('a paused instance', { timeout: 90_000 }, () => {
  test('L4 paused: has no process, holds its requests, refuses them as paused after hold_timeout, and answers those that wait when it is resumed', async () => {
    await tenement.ask('bob.api.test')
    expect((await tenement.command('pause', 'api:bob')).stdout).toMatch(/^api:bob is paused after /)
    expect(await tenement.status('api:bob')).toMatchObject({ phase: 'paused', pid: null })
    const refused = await tenement.ask('bob.api.test')
    expect(refused).toMatchObject({ status: 503 })
    expect(refused.headers).toMatchObject({ 'x-tenement-reason': 'paused', 'x-tenement-delivered': '0' })
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    expect(await phaseOf('api:bob')).toBe('paused')
    expect((await tenement.command('wake', 'api:bob')).stderr).toContain('"tenement resume api:bob"')
    // The command may take longer than a request is held: it asks again, as Retry-After tells it to.
    const resumed = tenement.command('resume', 'api:bob')
    await waitUntil(async () => (await tenement.ask('bob.api.test')).status === 200, 60_000)
    expect((await resumed).exitCode).toBe(0)
  })

  test('is paused still when tenement has been started again, and when its server has crashed', async () => {
    await tenement.command('pause', 'api:alice')
    await tenement.stop()
    tenement = await start()
    expect(await phaseOf('api:alice')).toBe('paused')
    process.kill(await tenement.serverPid(), 'SIGKILL')
    await waitUntil(async () => (await tenement.command('status', 'api:alice')).stdout.includes('paused'), 60_000)
    expect((await tenement.ask('alice.api.test')).headers['x-tenement-reason']).toBe('paused')
    expect((await tenement.command('resume', 'api:alice')).exitCode).toBe(0)
    expect(await tenement.ask('alice.api.test')).toMatchObject({ status: 200 })
  })
})
