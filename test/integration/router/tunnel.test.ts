// Upgrades: raw bytes both ways after the instance's 101, its refusal unchanged, and no way around the rules for heads.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createGuards } from '../../../src/router/guards.ts'
import { createMemoryBudget } from '../../../src/router/memoryBudget.ts'
import type { Patience } from '../../../src/router/patience.ts'
import {
  afterwards,
  answering,
  ask,
  cleanUp,
  endpointAt,
  get,
  type Harness,
  hostOf,
  httpInstance,
  type RawClient,
  rawClient,
  rawInstance,
  signal,
  startRouter,
  until,
} from './harness.ts'

afterEach(cleanUp)

const released = (harness: Harness): Promise<void> =>
  until(() => harness.leases() === 0 && harness.releases() === 1, 'the lease is released once')

const upgrade = (protocol: string, ...more: string[]): string =>
  [
    'GET /socket HTTP/1.1',
    `Host: ${hostOf}`,
    'Connection: keep-alive, Upgrade',
    `Upgrade: ${protocol}`,
    ...more,
    '',
    '',
  ].join('\r\n')

const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n'

test('a WebSocket echoes through the router, and its lease lasts until it is closed', async () => {
  const { port: instance, server } = await httpInstance((_req, res) => void res.end())
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
  )
  const harness = await startRouter(endpointAt(instance))
  const client = new WebSocket(`ws://127.0.0.1:${harness.port}/chat`, { headers: { host: hostOf } })
  await once(client, 'open')
  for (const text of ['one', 'x'.repeat(300_000)]) {
    client.send(text)
    const [data] = await once(client, 'message')
    expect(String(data)).toBe(text)
  }
  expect(harness.leases()).toBe(1)
  client.close(4_000, 'done')
  const [code] = await once(client, 'close')
  expect(code).toBe(4_000)
  await released(harness)
  expect(harness.lines).toEqual([])
})

test('the head of an upgrade is cleaned like any other, in both directions', async () => {
  const instance = await answering(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade, X-Hop\r\nX-Hop: 1\r\nUpgrade: echo\r\nX-Tenement-Reason: a\r\nSec-Kept: caf\xe9\r\n\r\n',
  )
  const harness = await startRouter(endpointAt(instance.port))
  const client = await rawClient(harness.port)
  client.write(
    upgrade(
      'echo',
      'X-Forwarded-For: 6.6.6.6',
      'X-Tenement-Instance: x',
      'X_Real_IP: 6.6.6.6',
      'Sec-WebSocket-Key: abc',
    ),
  )
  await client.receives('\r\n\r\n')
  expect(client.text()).toBe(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nSec-Kept: caf\xe9\r\n\r\n',
  )
  expect(instance.heard[0]?.replace(/^x-tenement-hops: 1\.[\w-]{43}\r\n/m, '')).not.toMatch(/6\.6\.6\.6|x-tenement/i)
  expect(instance.heard[0]).toContain('Sec-WebSocket-Key: abc\r\n')
  expect(instance.heard[0]).toMatch(/connection: upgrade\r\nupgrade: echo\r\n/)
  expect(instance.heard[0]).toContain('X-Forwarded-For: 127.0.0.1\r\n')
})

test('bytes sent before and right behind the 101 arrive, on both sides', async () => {
  const instance = await rawInstance((socket, sofar) => {
    if (sofar.endsWith('\r\n\r\nearly')) socket.write('heard early')
    else if (sofar.endsWith('\r\n\r\n')) socket.write(`${switching}first`)
  })
  const ready = signal()
  const harness = await startRouter(undefined, {
    wake: async () => {
      await ready.given
      return endpointAt(instance.port)
    },
  })
  const client = await rawClient(harness.port)
  client.write(`${upgrade('echo')}ea`)
  await until(() => harness.wakes.length === 1, 'the wake was asked for')
  client.write('rly')
  ready.give()
  await client.receives('heard early')
  expect(client.text()).toContain('\r\n\r\nfirst')
  expect(instance.heard[0]).toMatch(/\r\n\r\nearly$/)
})

test('a refused upgrade passes through with its body, and what the client sends behind it is not a request', async () => {
  const instance = await answering(
    'HTTP/1.1 401 Who Are You\r\nWWW-Authenticate: Basic\r\nContent-Length: 4\r\n\r\nno!\n',
  )
  const harness = await startRouter(endpointAt(instance.port))
  const answer = await ask(harness.port, `${upgrade('websocket')}GET /second HTTP/1.1\r\nHost: ${hostOf}\r\n\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 401 Who Are You\r\nWWW-Authenticate: Basic\r\nContent-Length: 4\r\n/)
  expect(answer).toMatch(/Connection: close\r\n\r\nno!\n$/)
  expect(instance.heard.join('')).not.toContain('/second')
  await released(harness)
})

test('a large refusal to a slow reader arrives whole', async () => {
  const body = Buffer.alloc(32_000_000, 'x')
  const { port: instance, server } = await httpInstance((_req, res) => void res.end())
  server.on('upgrade', (_req, socket) => {
    socket.write(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\n\r\n`)
    socket.end(body)
  })
  const harness = await startRouter(endpointAt(instance))
  const client = await rawClient(harness.port)
  client.socket.pause()
  client.write(upgrade('websocket'))
  await until(() => harness.wakes.length === 1, 'the request is under way')
  client.socket.resume()
  expect(await client.closed).toBe('end')
  expect(client.text().length - client.text().indexOf('\r\n\r\n') - 4).toBe(body.length)
})

test('an upgrade to another HTTP or to TLS is not forwarded: the request is served without it', async () => {
  for (const protocol of ['h2c', 'H2C', 'h2', 'HTTP/2.0', 'TLS/1.3', 'h2c, TLS/1.0']) {
    const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody')
    const harness = await startRouter(endpointAt(instance.port))
    const client = await rawClient(harness.port)
    client.write(upgrade(protocol, 'HTTP2-Settings: AAMAAABkAAQ'))
    await client.receives('body')
    expect(instance.heard[0]).not.toMatch(/upgrade|http2-settings/i)
    client.write(get('/again'))
    await client.closed
    expect(client.text().match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
    await until(() => harness.leases() === 0 && harness.releases() === 2, 'both leases are released')
  }
})

test('of several protocols only those that may be forwarded are offered to the instance', async () => {
  const instance = await answering(switching)
  const harness = await startRouter(endpointAt(instance.port))
  const client = await rawClient(harness.port)
  client.write(upgrade('h2c, echo'))
  await client.receives('101 Switching')
  expect(instance.heard[0]).toContain('upgrade: echo\r\n')
})

test('an upgrade with a body, or in HTTP/1.0, is served as an ordinary request', async () => {
  const { port: instance } = await httpInstance((req, res) => {
    res.setHeader('x-upgrade', String(req.headers.upgrade))
    req.pipe(res)
  })
  const { port } = await startRouter(endpointAt(instance))
  const lines = [
    `Host: ${hostOf}`,
    'Connection: upgrade, close',
    'Upgrade: websocket',
    'Content-Length: 5',
    '',
    'hello',
  ]
  for (const version of ['1.0', '1.1']) {
    const answer = await ask(port, [`POST / HTTP/${version}`, ...lines].join('\r\n'))
    expect(answer).toContain('x-upgrade: undefined\r\n')
    expect(answer).toContain('hello')
  }
})

test('an instance that switches to something else than was asked is a 502', async () => {
  for (const head of [
    'Connection: Upgrade\r\nUpgrade: other\r\n',
    'Connection: Upgrade\r\nUpgrade: echo, h2c\r\n',
    'Connection: Upgrade\r\n',
    '',
  ]) {
    const instance = await answering(`HTTP/1.1 101 Switching Protocols\r\n${head}\r\n`)
    const harness = await startRouter(endpointAt(instance.port))
    const answer = await ask(harness.port, upgrade('echo'))
    expect(answer).toMatch(/^HTTP\/1\.1 502 /)
    expect(answer).toContain('x-tenement-reason: upstream_protocol\r\nx-tenement-delivered: 1\r\n')
    await released(harness)
  }
})

test('L4 failed upgrade: an upgrade that is not answered is a 504, one that breaks off a 502, one that cannot be made a 503', async () => {
  const silent = await answering('')
  const breaking = await rawInstance((socket) => socket.destroy())
  const cases = [
    [endpointAt(silent.port, 100), 504, 'upstream_timeout'],
    [endpointAt(breaking.port), 502, 'upstream_broke'],
    [{ ...endpointAt(1), connect: () => Promise.reject(new Error('refused')) }, 503, 'unreachable'],
  ] as const
  for (const [endpoint, status, reason] of cases) {
    const harness = await startRouter(endpoint)
    const answer = await ask(harness.port, upgrade('echo'))
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer).toContain(`x-tenement-reason: ${reason}\r\n`)
    await released(harness)
  }
  expect(breaking.sockets).toHaveLength(1)
})

test('an upgrade for an unknown host is a 404', async () => {
  const { port } = await startRouter(undefined)
  expect(await ask(port, upgrade('websocket').replace('alice', 'carol'))).toMatch(/^HTTP\/1\.1 404 /)
})

test('a client that leaves while its upgrade is held ends its waiting', async () => {
  for (const leave of ['destroy', 'end'] as const) {
    const harness = await startRouter(undefined, {
      wake: (context) =>
        new Promise((_resolve, reject) => context.gone.addEventListener('abort', () => reject(new Error('left')))),
    })
    const client = await rawClient(harness.port)
    client.write(upgrade('websocket'))
    await until(() => harness.wakes.length === 1, 'the wake was asked for')
    client.socket[leave]()
    await until(() => harness.wakes[0]?.gone.aborted === true, 'the waiter is told')
  }
})

test('what clients send ahead of held upgrades has a bound together, and silent ones cost nothing of it', async () => {
  const instance = await rawInstance((socket, sofar) => {
    if (sofar.endsWith('\r\n\r\n'))
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    else socket.write('heard')
  })
  const ready = signal()
  const guards = { ...createGuards({ wakesPerClient: 60 }), memory: createMemoryBudget(65_536) }
  const harness = await startRouter(undefined, {
    guards,
    wake: async () => {
      await ready.given
      return endpointAt(instance.port)
    },
  })
  const [first, second, silent] = await Promise.all([1, 2, 3].map(() => rawClient(harness.port)))
  if (!first || !second || !silent) throw new Error('there are three')
  for (const client of [first, second, silent]) client.write(upgrade('echo'))
  await until(() => harness.wakes.length === 3, 'all three are held')
  first.write('early')
  await until(() => guards.memory.taken > 0, 'the first has sent something ahead')
  second.write('early')
  await second.closed
  expect(second.text()).toBe('')
  ready.give()
  await first.receives('heard')
  await silent.receives('101 Switching Protocols')
  expect(guards.memory.taken).toBe(0)
})

test('either side that breaks off takes the other with it', async () => {
  for (const side of ['client', 'instance'] as const) {
    const instance = await answering(switching)
    const harness = await startRouter(endpointAt(instance.port))
    const client = await rawClient(harness.port)
    client.write(upgrade('echo'))
    await client.receives('101 Switching')
    if (side === 'client') client.socket.resetAndDestroy()
    else instance.sockets[0]?.resetAndDestroy()
    await client.closed
    await until(
      () => instance.sockets[0]?.closed === true || instance.sockets[0]?.readableEnded === true,
      'the instance side is closed',
    )
    await released(harness)
  }
})

test('a half-close is passed on, and the other direction goes on', async () => {
  const instance = await answering(switching)
  const harness = await startRouter(endpointAt(instance.port))
  const client = await rawClient(harness.port)
  client.socket.allowHalfOpen = true
  client.write(upgrade('echo'))
  await client.receives('101 Switching')
  instance.sockets[0]?.end('last words')
  await client.receives('last words')
  client.socket.end('thanks')
  expect(await client.closed).toBe('end')
  await until(() => (instance.heard[0] ?? '').endsWith('thanks'), 'the instance has heard the rest')
  await released(harness)
})

test('what is on its way to a slow reader still arrives when the instance has closed', async () => {
  const size = 32_000_000
  const instance = await answering(switching)
  const harness = await startRouter(endpointAt(instance.port))
  const client = await rawClient(harness.port)
  client.socket.allowHalfOpen = true
  client.write(upgrade('echo'))
  await client.receives('101 Switching')
  client.socket.pause().end()
  await until(() => instance.sockets[0]?.readableEnded === true, 'the instance has heard the end')
  instance.sockets[0]?.end(Buffer.alloc(size, 'x'))
  client.socket.resume()
  expect(await client.closed).toBe('end')
  expect(client.text().length - switching.length).toBe(size)
  await released(harness)
})

test('an instance that is gone after its half-close takes the client with it', async () => {
  const instance = await answering(switching)
  const harness = await startRouter(endpointAt(instance.port))
  const client = await rawClient(harness.port)
  client.socket.allowHalfOpen = true
  client.write(upgrade('echo'))
  await client.receives('101 Switching')
  instance.sockets[0]?.end()
  await until(() => client.socket.readableEnded, 'the client has heard the end')
  instance.sockets[0]?.destroy()
  const talk = setInterval(() => client.write('still there?'), 5)
  afterwards(() => clearInterval(talk))
  await client.closed
  await released(harness)
})

// A side that takes next to nothing.

interface Tunnel {
  readonly harness: Harness
  readonly client: RawClient
  /** The instance's end. */
  readonly instance: Socket
  /** The router's ends. */
  readonly toClient: Socket
  readonly toInstance: Socket
}

/** A tunnel of which each side must take so many bytes in so many milliseconds. */
const openTunnel = async (read: Patience['read']): Promise<Tunnel> => {
  const { port, sockets } = await answering(switching)
  const endpoint = endpointAt(port)
  const harness = await startRouter(endpoint, { patience: { read } })
  const accepted: Socket[] = []
  harness.router.server.on('connection', (socket) => accepted.push(socket))
  const client = await rawClient(harness.port)
  client.write(upgrade('echo'))
  await client.receives('101 Switching')
  const [instance] = sockets
  const [toInstance] = endpoint.connections
  const [toClient] = accepted
  if (!instance || !toInstance || !toClient) throw new Error('there is no tunnel')
  return { harness, client, instance, toClient, toInstance }
}

/** Sends until something waits in the router, and so little that it reads on. */
const fill = async (from: Socket, router: Socket): Promise<void> => {
  while (router.writableLength === 0) {
    from.write(Buffer.alloc(1_024))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Sends for as long as somebody takes it. */
const flood = (socket: Socket): void => {
  const piece = Buffer.alloc(1_024 * 1_024)
  const write = (): void => {
    while (!socket.destroyed && socket.write(piece));
    socket.once('drain', write)
  }
  write()
}

const tooSlow = (side: string): readonly object[] => [
  {
    level: 'info',
    instance: 'notes:alice',
    status: 101,
    message: `the ${side} took what was sent over an upgraded connection too slowly`,
  },
]

test('a tunnel whose client takes nothing of what waits for it is closed', async () => {
  const { harness, client, instance } = await openTunnel({ bytes: 65_536, windowMs: 300 })
  client.socket.pause()
  flood(instance)
  await released(harness)
  await until(() => instance.destroyed, 'the instance has heard of it')
  expect(harness.lines).toMatchObject(tooSlow('client'))
})

test('a tunnel whose instance takes nothing of what waits for it is closed', async () => {
  const { harness, client, instance } = await openTunnel({ bytes: 65_536, windowMs: 300 })
  instance.pause()
  flood(client.socket)
  await released(harness)
  await client.closed
  expect(harness.lines).toMatchObject(tooSlow('instance'))
})

test('a tunnel whose client takes a little again and again is closed', async () => {
  const { harness, client, instance } = await openTunnel({ bytes: 256 * 1_024 * 1_024, windowMs: 500 })
  client.socket.on('data', () => {
    client.socket.pause()
    setTimeout(() => client.socket.resume(), 5)
  })
  flood(instance)
  await released(harness)
  expect(harness.lines).toMatchObject(tooSlow('client'))
})

test('a client that takes nothing of the last words of an instance that is gone holds its lease no longer', async () => {
  const { harness, client, instance, toClient, toInstance } = await openTunnel({ bytes: 65_536, windowMs: 300 })
  client.socket.allowHalfOpen = true
  client.socket.pause().end()
  await until(() => instance.readableEnded, 'the instance has heard the end')
  await fill(instance, toClient)
  instance.end()
  await until(() => toInstance.closed, 'the instance is gone')
  await released(harness)
  expect(harness.lines).toMatchObject(tooSlow('client'))
})

test('an instance that takes nothing of the last words of a client that is done holds no lease any longer either', async () => {
  const { harness, client, instance, toInstance } = await openTunnel({ bytes: 65_536, windowMs: 300 })
  instance.pause()
  await fill(client.socket, toInstance)
  client.socket.end()
  await released(harness)
  expect(harness.lines).toMatchObject(tooSlow('instance'))
})

test('a tunnel in which nothing waits any more stays open, however long it is silent and however little is said', async () => {
  const windowMs = 500
  const { harness, client, instance, toClient } = await openTunnel({ bytes: 1_024 * 1_024 * 1_024, windowMs })
  client.socket.pause()
  await fill(instance, toClient)
  client.socket.resume()
  for (const word of ['one', 'two', 'three']) {
    await new Promise((resolve) => setTimeout(resolve, 2 * windowMs))
    instance.write(word)
    await client.receives(word)
  }
  expect(harness.leases()).toBe(1)
  expect(harness.lines).toEqual([])
  client.socket.resetAndDestroy()
  await released(harness)
})
