import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeTemporaryDirectory } from '../../helpers/launcher.ts'
import { apps, startTenement } from '../../helpers/tenement.ts'

const config = `
[service.api]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
[instances]
api = ["alice"]
`

describe('tenement serve refuses to start', () => {
  test('with a state database that is none, and leaves the file as it is', async () => {
    const first = await startTenement({ config })
    const { root, tenantUids } = first
    first.process.kill('SIGTERM')
    await once(first.process, 'exit')
    const file = join(root, 'state', 'state.db')
    // Written into the file there is, which stays the server's own.
    writeFileSync(file, 'this is no database, but somebody may want it back'.repeat(1_000))
    const before = readFileSync(file)
    await expect(startTenement({ config, root, tenantUids })).rejects.toThrow(/state\.db/)
    expect(readFileSync(file).equals(before)).toBe(true)
    rmSync(root, { recursive: true })
  })

  test('on a port that is taken, naming it', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' ? address?.port : 0
    const root = makeTemporaryDirectory()
    await expect(startTenement({ config, root, listen: `127.0.0.1:${port}` })).rejects.toThrow(
      new RegExp(`cannot listen on 127.0.0.1:${port}: another program listens there`),
    )
    other.close()
    rmSync(root, { recursive: true })
  })

  test('a second time in the same directories', async () => {
    const first = await startTenement({ config })
    await expect(startTenement({ config, root: first.root, tenantUids: first.tenantUids })).rejects.toThrow(
      /"code":"already_running","fix":"stop it, or give this one .*","msg":"another tenement serves/,
    )
    expect((await first.ask('alice.api.test')).status).toBe(200)
    await first.stop()
  })

  test('nothing but the services that this machine cannot run, and says why', async () => {
    const text = `
[service.api]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
[service.gone]
command = "no-such-program-anywhere"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
[instances]
api = ["alice"]
gone = ["alice"]
`
    const tenement = await startTenement({ config: text })
    expect(tenement.output()).toMatch(/"no-such-program-anywhere" is not on the PATH/)
    expect(tenement.output()).toContain('warning: this machine cannot run gone: refused, the others are served')
    expect((await tenement.ask('alice.api.test')).status).toBe(200)
    const { status, headers } = await tenement.ask('alice.gone.test')
    expect(status).toBe(503)
    expect(headers['x-tenement-reason']).toBe('unavailable')
    await tenement.stop()
    // What no machine could run stops everything, however many services are right.
    await expect(startTenement({ config: text.replace('isolation = "none"', 'isolation = "nonne"') })).rejects.toThrow(
      /did you mean "none"/,
    )
  })

  test('nothing but the service that is exposed more than the config allows, and says by what', async () => {
    const text = `
[service.api]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
[service.open]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
max_exposure = 2.5
[instances]
api = ["alice"]
open = ["alice"]
`
    const tenement = await startTenement({ config: text })
    expect(tenement.output()).toMatch(
      /service\.open is exposed by \d\.\d of 10 on this machine, more than service\.open\.max_exposure = 2\.5 allows; its heaviest part \(0\.\d\d\): an instance \S+/,
    )
    expect((await tenement.ask('alice.api.test')).status).toBe(200)
    expect((await tenement.ask('alice.open.test')).status).toBe(503)
    const { stdout } = await tenement.command('status', 'open:alice')
    expect(stdout).toContain('more than service.open.max_exposure = 2.5 allows')
    await tenement.stop()
    // The same for all of them, where nobody is left to serve.
    await expect(startTenement({ config: text, settings: 'max_exposure = 0' })).rejects.toThrow(
      /settings\.max_exposure = 0 allows/,
    )
  })
})
