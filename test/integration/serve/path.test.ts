import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { environmentOf, isAlive } from '../../helpers/processes.ts'
import { isRoot } from '../../helpers/root.ts'
import { apps, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const service = (name: string, more = ''): string => `
[service.${name}]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
${more}
[service.${name}.env]
VISITS = "{data_dir}/{name}/{id}/visits"
`

describe('a request', () => {
  let tenement: Tenement
  beforeAll(async () => {
    tenement = await startTenement({
      config: `
${service('api', 'idle_timeout = "400ms"')}
${service('inherited', 'listen = "fd"')}
${service('own', 'listen = "unix"')}
${service('logged', 'ready = "log:^listening$"')}
${service('web', 'health = "/"')}
[service.broken]
command = "sh -c 'echo no database; exit 3'"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
[instances]
api = ["alice", "bob", "main"]
inherited = ["alice"]
own = ["alice"]
logged = ["alice"]
web = ["alice"]
broken = ["alice"]
[hosts]
"shop.acme.com" = "web:alice"
`,
    })
  })
  afterAll(async () => {
    await tenement.stop()
  })

  const host = (id: string, name: string): string => `${id}.${name}.test`

  test('L4 asleep to ready: wakes a sleeping instance and is answered by it', async () => {
    expect(await tenement.status('web:alice')).toMatchObject({ phase: 'asleep', pid: null })
    expect(await tenement.ask(host('alice', 'web'))).toMatchObject({ status: 200, body: 'hello from web:alice' })
    expect(await tenement.status('web:alice')).toMatchObject({ phase: 'ready', requests: 1 })
  })

  test('reaches an instance on a port, an inherited socket and a socket of its own', async () => {
    for (const name of ['api', 'inherited', 'own', 'logged'])
      expect((await tenement.ask(host('alice', name))).body).toBe(`hello from ${name}:alice`)
  })

  test('finds its instance by an override, by the main instance, in any spelling of the host', async () => {
    for (const [asked, body] of [
      ['shop.acme.com', 'web:alice'],
      ['SHOP.acme.com.:8080', 'web:alice'],
      ['api.test', 'api:main'],
      ['Alice.Api.TEST.', 'api:alice'],
    ] as const)
      expect((await tenement.ask(asked)).body).toBe(`hello from ${body}`)
  })

  test.each(['carol.api.test', 'alice.nothing.test', 'test', 'web.test', 'example.com', '[::1]', '127.0.0.1'])(
    'for %s is a 404 that wakes nobody',
    async (asked) => {
      const { status, headers } = await tenement.ask(asked)
      expect(status).toBe(404)
      expect(headers).toMatchObject({ 'x-tenement-reason': 'unknown_host', 'x-tenement-delivered': '0' })
    },
  )

  test('arriving with twenty others causes one launch', async () => {
    await waitUntil(async () => (await tenement.status('api:bob')).phase === 'asleep')
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => tenement.ask(host('bob', 'api'), { path: '/whoami' })),
    )
    const pids = new Set(answers.map(({ body }) => JSON.parse(body).pid))
    expect(pids.size).toBe(1)
  })

  test('L4 start failed: is answered with 503 and the right to retry when its instance cannot start, and status says why', async () => {
    const { status, headers } = await tenement.ask(host('alice', 'broken'))
    expect(status).toBe(503)
    expect(headers['x-tenement-delivered']).toBe('0')
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1)
    const seen = await tenement.status('broken:alice')
    expect(seen.lastExit).toMatchObject({ code: 3 })
    expect(seen.lastStop).toMatch(/code 3/)
    expect((await tenement.command('logs', 'broken:alice')).stdout).toContain('no database')
  })

  test("finds its own data after the instance slept, and nobody else's", async () => {
    for (const id of ['alice', 'bob']) await tenement.ask(host(id, 'api'), { path: `/visit?who=${id}` })
    await waitUntil(
      async () =>
        (await tenement.status('api:alice')).phase === 'asleep' &&
        (await tenement.status('api:bob')).phase === 'asleep',
    )
    expect(await tenement.status('api:alice')).toMatchObject({ pid: null, lastStop: expect.stringMatching(/idle/) })
    expect((await tenement.ask(host('alice', 'api'), { path: '/visit?who=again' })).body).toBe('alice\nagain\n')
    expect((await tenement.ask(host('bob', 'api'), { path: '/visit?who=again' })).body).toBe('bob\nagain\n')
  })

  test('that is under way keeps its instance awake past idle_timeout', async () => {
    const { body } = await tenement.ask(host('alice', 'api'), { path: '/slow?ms=1200' })
    expect(body).toBe('slow')
  })

  test("finds an environment of declared variables and a documented base, with nothing of tenement's own", async () => {
    const env = JSON.parse((await tenement.ask(host('alice', 'api'), { path: '/env' })).body)
    const names = ['HOME', 'LANG', 'PATH', 'PORT', 'TENEMENT_INSTANCE', 'VISITS', ...(isRoot ? [] : ['TENEMENT_RUN'])]
    expect(Object.keys(env).sort()).toEqual(names.sort())
    expect(env).toMatchObject({ TENEMENT_INSTANCE: 'api:alice', HOME: join(tenement.root, 'data', 'api', 'alice') })
  })

  test('runs, as root, under a uid that belongs to its instance alone, in a directory only that uid can enter', async ({
    skip,
  }) => {
    if (!isRoot) skip('only root can give a tenant a uid of its own')
    const who = async (id: string) => JSON.parse((await tenement.ask(host(id, 'api'), { path: '/whoami' })).body)
    const [alice, bob] = [await who('alice'), await who('bob')]
    expect(alice.uid).not.toBe(bob.uid)
    expect(statSync(join(tenement.root, 'data', 'api', 'alice'))).toMatchObject({ uid: alice.uid })
    expect(statSync(join(tenement.root, 'data', 'api', 'alice')).mode & 0o777).toBe(0o700)
  })

  test("is parsed by a process that is not root, cannot become it and holds nothing of root's environment", async () => {
    const pid = await tenement.serverPid()
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    if (isRoot) expect(status).toMatch(/^Uid:\t(?!0\t)(\d+)\t\1\t\1\t\1$/m)
    expect(status).toMatch(/^CapPrm:\t0+$/m)
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
    if (isRoot) expect(status).toMatch(/^Groups:\t\s*$/m)
    expect(environmentOf(pid).join()).not.toContain('SECRET_OF_LAUNCHER')
  })

  test('cannot reach the control socket by way of an instance', async () => {
    const socket = join(tenement.root, 'run', 'control.sock')
    const { body } = await tenement.ask(host('alice', 'api'), { path: `/control?socket=${encodeURIComponent(socket)}` })
    expect(isRoot ? ['EACCES'] : ['403', 'EPIPE', 'ECONNRESET']).toContain(body)
    expect((await tenement.ask('localhost', { path: '/v1/instances' })).status).toBe(404)
  })

  test('to an instance that crashed starts it anew', async () => {
    await tenement.ask(host('alice', 'web')) // awake for well under the time after which a crash is forgiven at once
    const before = await tenement.status('web:alice')
    await expect(tenement.ask(host('alice', 'web'), { path: '/crash?code=9', method: 'POST' })).resolves.toMatchObject({
      status: 502,
    })
    expect(await tenement.ask(host('alice', 'web'))).toMatchObject({ status: 200 })
    const after = await tenement.status('web:alice')
    expect(after.pid).not.toBe(before.pid)
    expect(after.restarts).toBe(1)
    expect(after.lastExit).toMatchObject({ code: 9 })
  })

  test('leaves no process of its instance when that is stopped, whatever it started', async () => {
    await tenement.ask(host('alice', 'web'), { path: '/leave?seconds=98765.5' })
    const { stdout } = await tenement.command('stop', 'web:alice')
    expect(stdout).toContain('web:alice')
    expect(await tenement.status('web:alice')).toMatchObject({ phase: 'asleep', pid: null })
    const { withCommandLine } = await import('../../helpers/processes.ts')
    expect(withCommandLine('sleep\x0098765.5')).toEqual([])
  })

  test('L4 disabled: to an instance that an operator disabled is refused until it is enabled', async () => {
    await tenement.command('disable', 'web:alice')
    const { status, headers } = await tenement.ask(host('alice', 'web'))
    expect(status).toBe(503)
    expect(headers['x-tenement-reason']).toBe('disabled')
    await tenement.command('enable', 'web:alice')
    expect((await tenement.ask(host('alice', 'web'))).status).toBe(200)
  })

  test('reaches an instance that was added while serving, until it is removed; its data goes with purge alone', async () => {
    expect((await tenement.command('add', 'api:carol')).exitCode).toBe(0)
    expect((await tenement.ask(host('carol', 'api'), { path: '/visit?who=carol' })).body).toBe('carol\n')
    const dataDir = join(tenement.root, 'data', 'api', 'carol')
    const { pid } = await tenement.status('api:carol')
    expect((await tenement.command('remove', 'api:carol')).exitCode).toBe(0)
    expect(isAlive(pid)).toBe(false)
    expect((await tenement.ask(host('carol', 'api'))).status).toBe(404)
    expect(existsSync(dataDir)).toBe(true)
    await tenement.command('add', 'api:carol')
    expect((await tenement.ask(host('carol', 'api'), { path: '/visit?who=again' })).body).toBe('carol\nagain\n')
    expect((await tenement.command('remove', 'api:carol', '--purge', '--yes')).exitCode).toBe(0)
    expect(existsSync(dataDir)).toBe(false)
  })
})
