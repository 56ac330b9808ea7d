import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { LogRequest } from '../../../src/control/logs.ts'
import type { LogLine } from '../../../src/control/wire.ts'
import {
  type ControlScript,
  carol,
  instanceStatus,
  type RunningControl,
  scriptedOperations,
  serverStatus,
  startControl,
} from './scripted.ts'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

let running: RunningControl | undefined

afterEach(async () => {
  await running?.close()
  running = undefined
})

const start = async (script: ControlScript = {}): Promise<RunningControl> => {
  running = await startControl(script)
  return running
}

const send = ({ socketPath }: RunningControl, path: string, { method = 'GET', headers, body }: Sent = {}) =>
  new Promise<Answer>((resolve, reject) => {
    const sent = request(
      { socketPath, path, method, headers: { host: 'localhost', ...headers }, agent: false },
      (answer) => {
        text(answer).then(
          (read) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: read }),
          reject,
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })

const sendRaw = ({ socketPath }: RunningControl, bytes: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect(socketPath, () => socket.write(bytes))
    text(socket).then(resolve, reject)
  })

const json = { 'content-type': 'application/json' }

describe('the control server', () => {
  it('lists instances as JSON that is not to be stored', async () => {
    const answer = await send(await start(), '/v1/instances')
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(JSON.parse(answer.body)).toEqual({ instances: [instanceStatus(carol)] })
  })

  it('answers an error of an operation as a problem with code and fix', async () => {
    const answer = await send(await start(), '/v1/instances/api/dave')
    expect(answer.status).toBe(404)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(JSON.parse(answer.body)).toEqual({
      title: 'Not Found',
      status: 404,
      detail: 'there is no instance api:dave',
      code: 'unknown_instance',
      fix: 'tenement add api:dave',
    })
  })

  it('answers a fault in tenement without its message, and logs it', async () => {
    const operations = {
      ...scriptedOperations([]),
      list: () => {
        throw new Error('secret of the heap')
      },
    }
    const control = await start({ operations })
    const answer = await send(control, '/v1/instances')
    expect(answer.status).toBe(500)
    expect(answer.body).not.toContain('secret')
    expect(control.log).toMatchObject([{ level: 'error', fields: { err: { message: 'secret of the heap' } } }])
  })

  it.each([
    '/',
    '/v1',
    '/v1/instances/',
    '/v1/instances/api',
    '/v2/instances',
    '/v1/instances/api/carol/kill',
    '//v1/server',
    'http://localhost/v1/server',
  ])('answers 404 for %s, which is not in the table', async (path) => {
    const answer = await send(await start(), path)
    expect(answer.status).toBe(404)
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'unknown_route' })
  })

  it('answers a wrong method with 405 and those that are right', async () => {
    const answer = await send(await start(), '/v1/instances/api/carol', { method: 'PUT' })
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('GET, DELETE')
  })

  it.each(['API', '..', '%2e%2e', 'a:b', '-a', 'a'.repeat(64), ''])('asks no operation about the id %j', async (id) => {
    const operations = scriptedOperations([])
    const answer = await send(await start({ operations }), `/v1/instances/api/${id}/stop`, { method: 'POST' })
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'invalid_name' })
    expect(operations.calls).toEqual([])
  })

  it('does what each verb says to the instance in the path', async () => {
    const operations = scriptedOperations([instanceStatus(carol)])
    const control = await start({ operations })
    for (const verb of ['wake', 'stop', 'restart', 'enable', 'disable']) {
      const answer = await send(control, `/v1/instances/api/carol/${verb}`, { method: 'POST' })
      expect(answer.status).toBe(200)
    }
    expect(operations.calls).toEqual(
      ['wake', 'stop', 'restart', 'enable', 'disable'].map((verb) => `${verb} api:carol`),
    )
  })

  it('adds the instance that the body names', async () => {
    const operations = scriptedOperations([])
    const body = JSON.stringify({ instance: 'api:dave' })
    const answer = await send(await start({ operations }), '/v1/instances', { method: 'POST', headers: json, body })
    expect(answer.status).toBe(201)
    expect(JSON.parse(answer.body)).toMatchObject({ instance: 'api:dave', source: 'added' })
  })

  it.each([
    ['no JSON', 'instance=api:dave', json, 400, 'bad_request'],
    ['another shape', '{"name":"api:dave"}', json, 400, 'bad_request'],
    ['null', 'null', json, 400, 'bad_request'],
    ['a form', '{"instance":"api:dave"}', { 'content-type': 'text/plain' }, 415, 'not_json'],
    ['a name outside the grammar', '{"instance":"api:../dave"}', json, 400, 'invalid_name'],
    ['more than 64 KiB', `{"instance":"${'a'.repeat(70_000)}"}`, json, 413, 'body_too_large'],
  ])('adds nothing for a body that is %s', async (_, body, headers, status, code) => {
    const operations = scriptedOperations([])
    const answer = await send(await start({ operations }), '/v1/instances', { method: 'POST', headers, body })
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body)).toMatchObject({ code })
    expect(operations.calls).toEqual([])
  })

  it('removes data only when purge=true', async () => {
    const operations = scriptedOperations([instanceStatus(carol), instanceStatus({ service: 'api', id: 'dave' })])
    const control = await start({ operations })
    await send(control, '/v1/instances/api/carol', { method: 'DELETE' })
    await send(control, '/v1/instances/api/dave?purge=true', { method: 'DELETE' })
    expect(operations.calls).toEqual(['remove api:carol keep', 'remove api:dave purge'])
  })

  it.each(['purge=yes', 'purge=', 'purge=true&purge=false', 'purgee=true', 'force=true'])(
    'removes nothing for the query %s',
    async (query) => {
      const operations = scriptedOperations([instanceStatus(carol)])
      const answer = await send(await start({ operations }), `/v1/instances/api/carol?${query}`, { method: 'DELETE' })
      expect(answer.status).toBe(400)
      expect(operations.calls).toEqual([])
    },
  )

  it.each([
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'same-origin' },
    { host: 'localhost:8080' },
    { host: 'carol.api.example.com' },
  ])('refuses a request with %j', async (headers) => {
    const operations = scriptedOperations([instanceStatus(carol)])
    const answer = await send(await start({ operations }), '/v1/instances/api/carol/stop', { method: 'POST', headers })
    expect(answer.status).toBe(403)
    expect(operations.calls).toEqual([])
  })

  it('refuses a request with two Host headers', async () => {
    const head = 'GET /v1/server HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n'
    expect(await sendRaw(await start(), head)).toMatch(/^HTTP\/1\.1 403 /)
  })

  it.each(['GET /v1/server HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n', 'GET /v1/server HTTP/1.0\r\n\r\n'])(
    'refuses a request without a host: %j',
    async (head) => {
      expect(await sendRaw(await start(), head)).toMatch(/^HTTP\/1\.1 403 /)
    },
  )

  it('never takes the body of a refused request for another request', async () => {
    const operations = scriptedOperations([instanceStatus(carol)])
    const inner = 'POST /v1/instances/api/carol/stop HTTP/1.1\r\nHost: localhost\r\n\r\n'
    const head = `POST /v1/instances/api/carol/wake HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${inner.length}\r\n\r\n`
    const answer = await sendRaw(await start({ operations }), head + inner)
    expect(answer.match(/^HTTP\/1\.1 /gm)).toHaveLength(1)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(operations.calls).toEqual([])
  })

  it('answers a refused peer with 403 and closes its connection', async () => {
    const operations = scriptedOperations([instanceStatus(carol)])
    const control = await start({ operations, allowPeer: () => false })
    const head = 'POST /v1/instances/api/carol/stop HTTP/1.1\r\nHost: localhost\r\n\r\n'
    const answer = await sendRaw(control, head)
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    expect(answer).toMatch(/^connection: close\r$/im)
    expect(operations.calls).toEqual([])
  })

  it('lets go of a refused peer that asks nothing', async () => {
    expect(await sendRaw(await start({ allowPeer: () => false }), '')).toBe('')
  })

  it('does not wait for the rest of a body that is too large', async () => {
    const head =
      'POST /v1/instances HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n'
    const answer = await sendRaw(await start(), head + 'x'.repeat(70_000))
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toMatch(/^connection: close\r$/im)
  })

  it('says once that it refuses, however often a refused peer comes back', async () => {
    const control = await start({ allowPeer: () => false })
    for (let time = 0; time < 5; time += 1) expect((await send(control, '/v1/server')).status).toBe(403)
    expect(control.log).toMatchObject([{ level: 'warn', fields: { count: 1 } }])
  })

  it('refuses a peer it cannot tell', async () => {
    const allowPeer = (): boolean => {
      throw new Error('no such process')
    }
    const control = await start({ allowPeer })
    expect((await send(control, '/v1/server')).status).toBe(403)
    expect(control.log).toMatchObject([{ level: 'warn', fields: { err: { message: 'no such process' } } }])
  })

  it('ends the reading of a log when its client leaves', async () => {
    const onEnd: (() => void)[] = []
    const ended = new Promise<void>((resolve) => onEnd.push(resolve))
    async function* readLogs(_: unknown, { signal }: LogRequest): AsyncGenerator<LogLine> {
      try {
        yield { at: null, stream: 'out', text: 'first', base64: null }
        await once(signal, 'abort')
      } finally {
        for (const resolve of onEnd) resolve()
      }
    }
    const control = await start({ readLogs })
    const socket = connect(control.socketPath, () =>
      socket.write('GET /v1/instances/api/carol/logs?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    )
    let received = ''
    for await (const chunk of socket) {
      received += String(chunk)
      if (received.includes('first')) break
    }
    await ended
    // By the answer to another request the server has done with the first.
    await send(control, '/v1/server')
    expect(control.log).toEqual([])
  })

  it('reads a log no further than its client takes it', async () => {
    const most = 300_000
    let count = 0
    async function* readLogs(): AsyncGenerator<LogLine> {
      for (; count < most; count += 1) yield { at: null, stream: 'out', text: 'x'.repeat(1_000), base64: null }
    }
    const { socketPath } = await start({ readLogs })
    const socket = connect(socketPath, () =>
      socket.write('GET /v1/instances/api/carol/logs HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    )
    // Never read: what comes fills the buffers of the socket, and no more.
    let before = -1
    await vi.waitUntil(
      () => {
        const hasStopped = count > 0 && count === before
        before = count
        return hasStopped
      },
      { interval: 100, timeout: 10_000 },
    )
    socket.destroy()
    expect(count).toBeLessThan(10_000)
  })

  it('breaks off an answer when reading the log fails in its middle', async () => {
    async function* readLogs(): AsyncGenerator<LogLine> {
      yield { at: null, stream: 'out', text: 'first', base64: null }
      throw new Error('the disk is gone')
    }
    const control = await start({ readLogs })
    const head = 'GET /v1/instances/api/carol/logs HTTP/1.1\r\nHost: localhost\r\n\r\n'
    const received = await sendRaw(control, head)
    // The last chunk of an answer that is whole (RFC 9112 section 7.1).
    expect(received).not.toMatch(/\r\n0\r\n\r\n$/)
    expect(control.log).toMatchObject([{ level: 'error', fields: { err: { message: 'the disk is gone' } } }])
  })

  it('notes each order it carried out or refused, and no mere question', async () => {
    const control = await start()
    await send(control, '/v1/instances')
    await send(control, '/v1/instances/api/carol/stop', { method: 'POST' })
    await send(control, '/v1/instances/api/dave/stop', { method: 'POST' })
    expect(control.log).toMatchObject([
      { level: 'info', fields: { method: 'POST', path: '/v1/instances/api/carol/stop' } },
      { level: 'info', fields: { method: 'POST', path: '/v1/instances/api/dave/stop', code: 'unknown_instance' } },
    ])
  })

  it('tells about the server itself', async () => {
    const answer = await send(await start(), '/v1/server')
    expect(JSON.parse(answer.body)).toEqual(serverStatus)
  })
})
