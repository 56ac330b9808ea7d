// GET /v1/events and /wait over a real socket.
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { connectControl } from '../../../src/control/client.ts'
import { createEvents, type Events } from '../../../src/control/events.ts'
import type { InstanceStatus, Phase } from '../../../src/control/operations.ts'
import type { InstanceEvent } from '../../../src/control/wire.ts'
import { collectGarbage } from '../../helpers/collectGarbage.ts'
import { carol, instanceStatus, type RunningControl, scriptedOperations, startControl } from './scripted.ts'

let running: RunningControl | undefined
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await running?.close()
  running = undefined
})

const change = (phase: Phase, more: Partial<InstanceEvent> = {}): Omit<InstanceEvent, 'id'> => ({
  kind: 'phase',
  instance: 'api:carol',
  service: 'api',
  phase,
  before: 'starting',
  why: null,
  at: '2026-11-23T18:15:54.123Z',
  pid: 4101,
  ...more,
})

const start = async (
  events: Events,
  status: () => InstanceStatus = () => instanceStatus(carol),
): Promise<RunningControl> => {
  const operations = { ...scriptedOperations([instanceStatus(carol)]), status }
  running = await startControl({ events, operations })
  return running
}

/** A follower in bytes; resolves when the head of the answer is there. */
const follow = async ({ socketPath }: RunningControl, query = '', headers = ''): Promise<() => string> => {
  const socket = connect(socketPath)
  sockets.push(socket)
  let received = ''
  socket.on('data', (chunk) => {
    received += String(chunk)
  })
  socket.write(`GET /v1/events${query} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`)
  await vi.waitUntil(() => received.includes('\r\n\r\n'), 5_000)
  return () => received
}

const get = ({ socketPath }: RunningControl, path: string): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, headers: { host: 'localhost' }, agent: false }, (answer) =>
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject),
    )
    asked.on('error', reject)
    asked.end()
  })

describe('GET /v1/events', () => {
  it('is a stream of events, begun before the first', async () => {
    const events = createEvents('e')
    const received = await follow(await start(events))
    expect(received()).toMatch(/^HTTP\/1\.1 200 /)
    expect(received()).toMatch(/^content-type: text\/event-stream\r$/m)
    events.push(change('ready'))
    await vi.waitUntil(() => received().includes('event: phase\n'), 5_000)
    expect(received()).toContain('id: e-1\n')
  })

  it('replays behind the Last-Event-ID of a reader that was cut off', async () => {
    const events = createEvents('e')
    for (const phase of ['queued', 'starting', 'ready'] as const) events.push(change(phase))
    const received = await follow(await start(events), '', 'Last-Event-ID: e-1\r\n')
    await vi.waitUntil(() => received().includes('id: e-3\n'), 5_000)
    expect(received()).toContain('id: e-2\n')
    expect(received()).not.toContain('id: e-1\n')
  })

  it('tells of one service or one instance where that is asked for', async () => {
    const events = createEvents('e')
    const control = await start(events)
    const [ofCarol, ofWeb] = [await follow(control, '?instance=api:carol'), await follow(control, '?service=web')]
    events.push(change('ready'))
    events.push(change('ready', { instance: 'web:main', service: 'web' }))
    events.push(change('asleep'))
    await vi.waitUntil(() => ofCarol().includes('id: e-3\n') && ofWeb().includes('id: e-2\n'), 5_000)
    expect(ofCarol()).not.toContain('id: e-2\n')
    expect(ofWeb()).not.toMatch(/id: e-[13]\n/)
  })

  it.each(['?instance=API', '?instance=carol', '?service=a:b', '?service=..', '?servce=api'])(
    'refuses %s',
    async (query) => {
      expect((await get(await start(createEvents('e')), `/v1/events${query}`)).status).toBe(400)
    },
  )

  it('cuts off a reader that does not read, however much happens', async () => {
    const events = createEvents('e', 50)
    const control = await start(events)
    const socket = connect(control.socketPath)
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(socket, 'readable')
    let isCut = false
    control.server.once('connection', () => undefined)
    const connections = (): Promise<number> =>
      new Promise((resolve, reject) =>
        control.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      )
    for (let sent = 0; sent < 5_000 && !isCut; sent += 1) {
      for (let each = 0; each < 20; each += 1) events.push(change('ready', { why: 'x'.repeat(400) }))
      await new Promise((resolve) => setImmediate(resolve))
      isCut = (await connections()) === 0
    }
    expect(isCut).toBe(true)
    expect(control.log).toEqual([])
  })

  it('comes as values to the client, until it stops reading', async () => {
    const events = createEvents('e')
    const { socketPath } = await start(events)
    const client = connectControl(socketPath)
    const iterator = client.events({ service: 'api' })[Symbol.asyncIterator]()
    const coming = iterator.next()
    const pushing = setInterval(() => events.push(change('ready')), 10)
    expect((await coming).value).toMatchObject({ kind: 'phase', instance: 'api:carol', phase: 'ready', pid: 4101 })
    clearInterval(pushing)
    await iterator.return?.(undefined)
  })
})

describe('GET /v1/instances/{service}/{id}/wait', () => {
  const path = (query: string): string => `/v1/instances/api/carol/wait?${query}`

  it('answers at once when the instance is in that phase', async () => {
    const { status, body } = await get(await start(createEvents('e')), path('phase=asleep'))
    expect(status).toBe(200)
    expect(JSON.parse(body)).toMatchObject({ instance: 'api:carol', phase: 'asleep' })
  })

  it('answers when it comes to it', async () => {
    const events = createEvents('e')
    let phase: Phase = 'starting'
    let looked = 0
    const control = await start(events, () => {
      looked += 1
      return instanceStatus(carol, { phase })
    })
    const waiting = get(control, path('phase=ready'))
    await vi.waitUntil(() => looked > 0, 5_000)
    events.push(change('ready', { instance: 'api:dave' }))
    events.push(change('stopping'))
    // By the answer to another request whoever waits has heard of both.
    await get(control, '/v1/server')
    phase = 'ready'
    events.push(change('ready'))
    expect(JSON.parse((await waiting).body)).toMatchObject({ phase: 'ready' })
  })

  it('answers when it was there for a moment only', async () => {
    const events = createEvents('e')
    let looked = 0
    const control = await start(events, () => {
      looked += 1
      return instanceStatus(carol, { phase: 'crashlooped' })
    })
    const waiting = get(control, path('phase=backoff'))
    await vi.waitUntil(() => looked > 0, 5_000)
    events.push(change('backoff'))
    events.push(change('crashlooped'))
    expect((await waiting).status).toBe(200)
  })

  it('does not take too much at once for the phase it waits for', async () => {
    const events = createEvents('e', 10)
    let phase: Phase = 'starting'
    let looked = 0
    const control = await start(events, () => {
      looked += 1
      return instanceStatus(carol, { phase })
    })
    const waiting = get(control, path('phase=ready'))
    await vi.waitUntil(() => looked > 0, 5_000)
    for (let count = 0; count < 30; count += 1) events.push(change('queued', { instance: 'api:dave' }))
    await vi.waitUntil(() => looked > 1, 5_000)
    phase = 'ready'
    events.push(change('ready'))
    expect(JSON.parse((await waiting).body)).toMatchObject({ phase: 'ready' })
  })

  it('answers with a problem when the time is over first', async () => {
    const waiting = get(await start(createEvents('e')), path('phase=ready&timeout=200ms'))
    await delay(50)
    // The end of its time is not the garbage collector's to take.
    collectGarbage()
    const { status, body } = await waiting
    expect(status).toBe(504)
    expect(JSON.parse(body)).toMatchObject({
      code: 'timed_out',
      detail: 'api:carol was not ready within 200ms: it is asleep',
    })
  })

  it.each(['', 'phase=awake', 'phase=ready&timeout=soon', 'phase=ready&timeout=25h', 'timeout=1s'])(
    'refuses the query %j',
    async (query) => {
      expect((await get(await start(createEvents('e')), path(query))).status).toBe(400)
    },
  )

  it('forgets a client that leaves', async () => {
    const events = createEvents('e')
    const ended: AbortSignal[] = []
    const watched: Events = {
      ...events,
      follow: (asked) => {
        ended.push(asked.gone)
        return events.follow(asked)
      },
    }
    const { socketPath } = await start(watched)
    const socket = connect(socketPath)
    socket.write(`GET ${path('phase=ready&timeout=1h')} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    await vi.waitUntil(() => ended.length > 0, 5_000)
    socket.destroy()
    await vi.waitUntil(() => ended[0]?.aborted === true, 5_000)
  })
})
