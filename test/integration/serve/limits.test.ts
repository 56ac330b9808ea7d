// What bounds what clients can cost, in a whole tenement.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, apps, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

describe('a server with limits', () => {
  let tenement: Tenement
  beforeAll(async () => {
    tenement = await startTenement({
      settings: 'wakes_per_client = 2\ntrusted_proxies = ["127.0.0.1"]',
      config: `
[service.api]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
max_body = "1KB"
asleep_health = "/healthz"
[service.api.env]
VISITS = "{data_dir}/{name}/{id}/visits"
[instances]
api = ["alice", "bob", "carol", "dave"]
`,
    })
  })
  afterAll(async () => {
    await tenement.stop()
  })

  const askFor = (client: string, id: string): Promise<Answer> =>
    tenement.ask(`${id}.api.test`, { headers: { 'x-forwarded-for': client } })

  test('answers a health check of a sleeping instance, and refuses a body that is too large, without waking it', async () => {
    expect(await tenement.ask('dave.api.test', { path: '/healthz' })).toMatchObject({
      status: 200,
      headers: { 'x-tenement-reason': 'asleep' },
      body: '{"state":"asleep"}\n',
    })
    expect(await tenement.ask('dave.api.test', { method: 'POST', body: 'x'.repeat(1_025) })).toMatchObject({
      status: 413,
      headers: { 'x-tenement-reason': 'body_too_large', 'x-tenement-delivered': '0' },
    })
    expect(await tenement.status('api:dave')).toMatchObject({ phase: 'asleep', pid: null, requests: 0 })
  })

  test('lets one client wake so many instances in a minute, and use those that are awake', async () => {
    const client = '203.0.113.9'
    expect(await askFor(client, 'alice')).toMatchObject({ status: 200 })
    expect(await askFor(client, 'bob')).toMatchObject({ status: 200 })
    expect(await askFor(client, 'carol')).toMatchObject({
      status: 429,
      headers: { 'x-tenement-reason': 'rate_limited' },
    })
    expect(await tenement.status('api:carol')).toMatchObject({ phase: 'asleep' })
    expect(await askFor('198.51.100.1', 'carol')).toMatchObject({ status: 200 })
    expect(await askFor(client, 'carol')).toMatchObject({ status: 200 })
  })

  test('asks an instance that is awake about its health', async () => {
    expect(await askFor('198.51.100.2', 'dave')).toMatchObject({ status: 200 })
    const { headers } = await tenement.ask('dave.api.test', { path: '/healthz' })
    expect(headers).not.toHaveProperty('x-tenement-reason')
  })
})

/** Places for requests that wait, for all together. */
const places = 10_000

/** This process and the server have a socket for each. */
const filesAllowed = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).replace('unlimited', '1e9'))
const lacksFiles = filesAllowed < places + 500 ? ` (skipped: a process may have only ${filesAllowed} files open)` : ''

describe.skipIf(lacksFiles !== '')(
  `a server with as many waiting requests as there are places for${lacksFiles}`,
  () => {
    let tenement: Tenement
    const sockets: Socket[] = []
    const texts: string[] = []
    beforeAll(async () => {
      tenement = await startTenement({
        settings: 'hold_timeout = "10m"\ntrusted_proxies = ["127.0.0.1"]',
        config: `
[service.slow]
command = "node waits-for-file.mjs"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
queue_max = ${places * 2}
start_timeout = "10m"
[service.slow.env]
GATE = "{data_dir}/{name}/{id}/gate"
[service.api]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
[service.api.env]
VISITS = "{data_dir}/{name}/{id}/visits"
[instances]
slow = ["never"]
api = ["alice"]
`,
      })
    })
    afterAll(async () => {
      for (const socket of sockets) socket.destroy()
      await tenement.stop()
    })

    const wait = async (client: string): Promise<void> => {
      const socket = connect({ port: tenement.port, host: '127.0.0.1' })
      const number = sockets.push(socket) - 1
      texts[number] = ''
      socket.on('data', (data) => {
        texts[number] += data.toString('latin1')
      })
      await once(socket, 'connect')
      socket.write(`GET / HTTP/1.1\r\nHost: never.slow.test\r\nX-Forwarded-For: ${client}\r\n\r\n`)
    }

    const waiting = async (): Promise<number> => (await tenement.control.why({ service: 'slow', id: 'never' })).waiting

    test('turns away the newest of an address that floods it, and serves another address', async () => {
      const flood = '203.0.113.9'
      while (sockets.length < places) {
        await Promise.all(Array.from({ length: 100 }, () => wait(flood)))
        await waitUntil(async () => (await waiting()) === sockets.length)
      }
      await wait(flood)
      await waitUntil(() => texts.at(-1)?.includes('\r\n\r\n') === true)
      const refused =
        /^HTTP\/1\.1 503 [\s\S]*x-tenement-reason: queue_full\r\nx-tenement-delivered: 0\r\n[\s\S]*Retry-After: [1-5]\r\n/i
      expect(texts.at(-1)).toMatch(refused)
      expect(texts.filter((text) => text !== '')).toHaveLength(1)

      const other = { headers: { 'x-forwarded-for': '198.51.100.1' } }
      expect(await tenement.ask('alice.api.test', other)).toMatchObject({ status: 200 })
      const turnedOut = texts.slice(0, places).filter((text) => text !== '')
      expect(turnedOut).toEqual([expect.stringMatching(refused)])
      expect(texts.indexOf(turnedOut[0] ?? '')).toBeGreaterThanOrEqual(places - 100)
      expect(await waiting()).toBe(places - 1)
    }, 120_000)
  },
)
