// The keys that bound what clients can cost, in a whole tenement.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, apps, startTenement, type Tenement } from '../../helpers/tenement.ts'

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
