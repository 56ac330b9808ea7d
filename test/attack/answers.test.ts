// What a tenant may answer to harm those who ask others: the server that reads it, and whoever shares a connection with its
// clients, as the proxy in front of tenement does.
import { rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { megabytesWritten, residentMegabytes } from '../helpers/processes.ts'
import { apps, startTenement, type Tenement } from '../helpers/tenement.ts'
import { waitUntil } from '../helpers/waitUntil.ts'
import { cleanUp, type RawClient, rawClient } from '../integration/router/harness.ts'
import { makeRoot } from './harness.ts'
import { type Asking, keepAsking } from './neighbour.ts'

const config = `
[service.hostile]
command = "node hostile-answers.mjs"
cwd = "${apps}"
isolation = "none"
listen = "fd"
data = "{data_dir}/{name}/{id}"
response_timeout = "3s"
[service.neighbour]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
listen = "fd"
[instances]
hostile = ["mallory"]
neighbour = ["alice"]
`
const mallory = 'mallory.hostile.test'
const alice = 'alice.neighbour.test'

let root: string
let tenement: Tenement
let server: number
let asking: Asking
beforeAll(async () => {
  root = makeRoot()
  tenement = await startTenement({ root, config })
  server = await tenement.serverPid()
  for (const host of [mallory, alice]) expect(await tenement.ask(host)).toMatchObject({ status: 200 })
}, 60_000)
afterAll(async () => {
  await tenement.stop()
  rmSync(root, { recursive: true, force: true })
})

const get = (host: string, path: string, more = '', method = 'GET'): string =>
  `${method} /${path} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`

describe('a hostile answer', () => {
  beforeEach(() => {
    asking = keepAsking(tenement, alice, 'hello from neighbour:alice')
  })
  afterEach(async () => {
    await cleanUp()
    expect(await asking.finish()).toEqual([])
    expect(await tenement.serverPid()).toBe(server)
    await waitUntil(async () => (await tenement.status('hostile:mallory')).active === 0)
  })

  test.each([
    'endless-header',
    'endless-headers',
    'endless-103',
    'endless-100',
    'endless-102',
    'endless-199',
    'line-in-header',
    'two-lengths',
    'length-and-chunks',
    'other-coding',
    'unasked-switch',
  ])('"%s" is a 502 at once (row 72, blocked)', async (path) => {
    const startedAt = performance.now()
    const { status, headers } = await tenement.ask(mallory, { path: `/${path}` })
    expect({ status, reason: headers['x-tenement-reason'] }).toEqual({ status: 502, reason: 'upstream_protocol' })
    expect(performance.now() - startedAt).toBeLessThan(2_500)
  })

  test.each(['endless-line', 'slow-head', 'slow-103', 'nothing'])(
    '"%s" is a 504 in time (row 73, blocked)',
    async (path) => {
      const { status } = await tenement.ask(mallory, { path: `/${path}` })
      expect(status).toBe(504)
    },
  )

  test('"reset-head" is a 502 (row 73, blocked)', async () => {
    expect(await tenement.ask(mallory, { path: '/reset-head' })).toMatchObject({ status: 502 })
  })

  test.each(['endless-trailers', 'large-chunk-size', 'no-chunk-size', 'long-chunk', 'reset-body'])(
    '"%s" breaks the connection of its client, with nothing of what is wrong (rows 72 and 73, blocked)',
    async (path) => {
      const client = await rawClient(tenement.port)
      client.write(get(mallory, path))
      // A reset right behind bytes is an end to whoever reads by libuv: what counts is that the body is not whole.
      await client.closed
      expect(client.text()).toMatch(/^HTTP\/1\.1 200 OK\r\n(.+\r\n)+\r\n(1\r\n)?b/)
      expect(client.text()).not.toMatch(/evil|\r\n0\r\n/)
    },
  )

  const smuggled = [
    ['second-answer', 'GET'],
    ['second-answer-after-chunks', 'GET'],
    ['body-of-204', 'GET'],
    ['body-of-304', 'GET'],
    ['body-of-head', 'HEAD'],
    ['chunks-of-204', 'GET'],
    ['length-of-100', 'GET'],
    ['hidden-length', 'GET'],
    ['framing-in-trailers', 'GET'],
    ...['length-and-chunks', 'two-lengths', 'other-coding', 'line-in-header', 'unasked-switch'].map(
      (path) => [path, 'GET'] as const,
    ),
  ] as const
  test.each(smuggled)(
    '"%s" to %s brings nobody on the same connection an answer that is not theirs (row 72, blocked)',
    async (path, method) => {
      const client = await rawClient(tenement.port)
      client.write(get(mallory, path, '', method) + get(alice, '', 'Connection: close\r\n'))
      await client.closed
      expectAliceBehind(client)
      expect(await tenement.ask(mallory)).toMatchObject({ status: 200, body: 'here' })
    },
  )

  /** Either hers alone behind one answer for the first request, or none because the connection broke. */
  const expectAliceBehind = (client: RawClient): void => {
    const [first = '', second, ...more] = client.text().split(/(?=HTTP\/1\.1 )/)
    expect(client.text()).not.toMatch(/evil/i)
    expect(first).not.toContain('hello from neighbour')
    if (second !== undefined) expect(second).toMatch(/^HTTP\/1\.1 200 OK\r\n(.+\r\n)+\r\nhello from neighbour:alice$/)
    expect(more).toEqual([])
  }

  /** Asks for it, reads how it begins, and then no more. */
  const stopReading = async (path: string): Promise<RawClient> => {
    const client = await rawClient(tenement.port)
    client.write(get(mallory, path))
    await client.receives(/\r\n\r\n[\s\S]*b/)
    client.socket.removeAllListeners('data').pause()
    return client
  }

  test.each(['endless-body', 'endless-chunks'])(
    '"%s" waits with its sender for a client that does not read, and ends with it (row 73, blocked)',
    async (path) => {
      const sender = (await tenement.status('hostile:mallory')).pid ?? 0
      const before = megabytesWritten(sender)
      const client = await stopReading(path)
      await waitUntil(async () => {
        const written = megabytesWritten(sender)
        await delay(300)
        return megabytesWritten(sender) === written
      })
      // What the buffers of two connections hold, and of the server: how much that is the kernel decides (tcp(7), tcp_wmem).
      expect(megabytesWritten(sender) - before).toBeLessThan(32)
      client.socket.destroy()
    },
  )

  test('"endless-chunk-size" is no byte of a body, fills no memory, and ends with its client (row 73, blocked)', async () => {
    const client = await stopReading('endless-chunk-size')
    // What was on its way leaves garbage behind; what counts is that no more comes.
    await asking.finish()
    const before = residentMegabytes(server)
    asking = keepAsking(tenement, alice, 'hello from neighbour:alice')
    expect(await asking.finish(100)).toEqual([])
    asking = keepAsking(tenement, alice, 'hello from neighbour:alice')
    expect(residentMegabytes(server) - before).toBeLessThan(48)
    client.socket.destroy()
  })
})
