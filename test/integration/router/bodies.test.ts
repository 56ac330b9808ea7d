// Bodies that are too large, come too slowly, are not taken, or may be needed twice.
import { afterEach, expect, test } from 'vitest'
import { createGuards, type Guards } from '../../../src/router/guards.ts'
import { createMemoryBudget } from '../../../src/router/memoryBudget.ts'
import type { Patience } from '../../../src/router/patience.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'
import {
  answering,
  ask,
  cleanUp,
  endpointAt,
  get,
  type Harness,
  hostOf,
  httpInstance,
  type RawClient,
  type RawInstance,
  rawClient,
  rawInstance,
  signal,
  startRouter,
  until,
} from './harness.ts'

afterEach(cleanUp)

const released = (harness: Harness, times: number): Promise<void> =>
  until(() => harness.leases() === 0 && harness.releases() === times, `the lease is released ${times} times`)

const post = (more: string, method = 'POST'): string => `${method} / HTTP/1.1\r\nHost: ${hostOf}\r\n${more}\r\n`

const withMemory = (bytes: number): Guards => ({
  ...createGuards({ wakesPerClient: 60 }),
  memory: createMemoryBudget(bytes),
})

// What is too large.

test('L4 body too large by its length: a body that says it is too large is refused before anything is woken, and before it is sent', async () => {
  const harness = await startRouter(undefined, { rules: { maxBodyBytes: 10 } })
  for (const more of ['', 'Expect: 100-continue\r\n']) {
    const client = await rawClient(harness.port)
    client.write(post(`Content-Length: 11\r\n${more}`))
    await client.receives('x-tenement-reason: body_too_large')
    expect(client.text()).toMatch(/^HTTP\/1\.1 413 Payload Too Large\r\n/)
    expect(client.text()).toContain('x-tenement-delivered: 0\r\n')
  }
  expect(harness.wakes).toHaveLength(0)
})

test('a body of just the size that is allowed passes, with a length and in chunks', async () => {
  const { port: instance } = await httpInstance((req, res) => void req.pipe(res))
  const { port } = await startRouter(endpointAt(instance), { rules: { maxBodyBytes: 10 } })
  expect(await ask(port, `${post('Connection: close\r\nContent-Length: 10\r\n')}0123456789`)).toContain('0123456789')
  const chunked = post('Connection: close\r\nTransfer-Encoding: chunked\r\n')
  expect(await ask(port, `${chunked}a\r\n0123456789\r\n0\r\n\r\n`)).toContain('0123456789')
})

test('L4 body too large in the end: a body that turns out too large is cut at the limit, and is never complete for the instance', async () => {
  let isComplete = false
  let bytes = 0
  const aborted = signal()
  const { port: instance } = await httpInstance((req) => {
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    req.on('end', () => {
      isComplete = true
    })
    req.on('error', () => {})
    req.on('close', aborted.give)
  })
  const harness = await startRouter(endpointAt(instance), { rules: { maxBodyBytes: 10 } })
  const client = await rawClient(harness.port)
  client.write(`${post('Transfer-Encoding: chunked\r\n')}6\r\nfirst.\r\n`)
  await until(() => bytes === 6, 'the instance has the first piece')
  client.write('6\r\nsecond\r\n0\r\n\r\n')
  await client.receives('x-tenement-reason: body_too_large')
  expect(client.text()).toMatch(/^HTTP\/1\.1 413 Payload Too Large\r\n/)
  expect(client.text()).toContain('x-tenement-delivered: 1\r\n')
  await aborted.given
  expect({ isComplete, bytes }).toEqual({ isComplete: false, bytes: 6 })
  await released(harness, 1)
})

test('a body that turns out too large breaks off an answer that has begun', async () => {
  const { port: instance } = await httpInstance((req, res) => {
    req.on('error', () => {})
    req.pipe(res)
  })
  const harness = await startRouter(endpointAt(instance), { rules: { maxBodyBytes: 10 } })
  const client = await rawClient(harness.port)
  client.write(`${post('Transfer-Encoding: chunked\r\n')}6\r\nfirst.\r\n`)
  await client.receives('first.')
  client.write('6\r\nsecond\r\n0\r\n\r\n')
  expect(await client.closed).toBe('ECONNRESET')
  expect(client.text()).not.toMatch(/second|413/)
  expect(harness.lines).toMatchObject([{ reason: 'body_too_large', message: 'response broke off' }])
})

// What is too slow.

const hasty = { body: { bytes: 1_000, windowMs: 1_500 } }

test('a body that hardly moves is cut off with a 408 though it never stands still', async () => {
  const instance = await rawInstance(() => {})
  const harness = await startRouter(endpointAt(instance.port), { patience: hasty })
  const client = await rawClient(harness.port)
  client.write(post('Content-Length: 1000000\r\n'))
  const drip = setInterval(() => client.write('x'), 20)
  await client.closed
  clearInterval(drip)
  expect(client.text()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
  expect(client.text()).toContain('x-tenement-reason: request_timeout\r\n')
  expect(client.text()).toContain('x-tenement-delivered: 1\r\n')
  expect(client.text()).toContain('Connection: close\r\n')
  await released(harness, 1)
})

test('a body that waits for the instance is not slow', async () => {
  const instance = await rawInstance((socket, sofar) => {
    if (sofar.includes('\r\n\r\n')) socket.removeAllListeners('data').pause()
  })
  const harness = await startRouter(endpointAt(instance.port), { patience: hasty })
  const client = await rawClient(harness.port)
  const size = 32 * 1024 * 1024
  client.write(post(`Content-Length: ${size}\r\nConnection: close\r\n`))
  client.socket.write(Buffer.alloc(size))
  await until(() => instance.sockets.length === 1, 'the instance is asked')
  // Two windows and more in which nothing can move.
  const since = Date.now()
  await until(() => Date.now() - since > 3_500, 'some windows are over')
  expect(client.text()).toBe('')
  let received = 0
  instance.sockets[0]?.on('data', (data) => {
    received += data.length
    if (received > size - 70_000 && !instance.sockets[0]?.writableEnded)
      instance.sockets[0]?.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
  })
  instance.sockets[0]?.resume()
  await client.receives('HTTP/1.1 200 OK')
})

test('a body that is half of a conversation may be as slow as it likes', async () => {
  const { port: instance } = await httpInstance((req, res) => {
    res.flushHeaders()
    req.pipe(res)
  })
  const harness = await startRouter(endpointAt(instance), { patience: hasty })
  const client = await rawClient(harness.port)
  client.write(`${post('Transfer-Encoding: chunked\r\nConnection: close\r\n')}1\r\na\r\n`)
  await client.receives('a\r\n')
  const since = Date.now()
  await until(() => Date.now() - since > 3_500, 'some windows are over')
  client.write('1\r\nb\r\n0\r\n\r\n')
  expect(await client.closed).toBe('end')
  expect(client.text()).toMatch(/a\r\n1\r\nb\r\n0\r\n\r\n$/)
})

// What is not taken.

/** So much must be taken in so many milliseconds. */
const within = (windowMs: number, bytes = 65_536): Patience['read'] => ({ windowMs, bytes })

const endless = async (): Promise<{ readonly port: number }> =>
  httpInstance((_req, res) => {
    const piece = Buffer.alloc(1024 * 1024)
    const write = (): void => {
      while (!res.destroyed && res.write(piece));
      res.once('drain', write)
    }
    write()
  })

const askAndTakeNothing = async (instance: number): Promise<Harness> => {
  const harness = await startRouter(endpointAt(instance), { patience: { read: within(300) } })
  const client = await rawClient(harness.port)
  client.write(get())
  await client.receives('200 OK')
  client.socket.pause()
  return harness
}

test('a client that takes nothing of its answer is cut off, and holds no lease any more', async () => {
  const { port: instance } = await endless()
  const harness = await askAndTakeNothing(instance)
  await released(harness, 1)
  expect(harness.lines).toMatchObject([{ level: 'info', instance: 'notes:alice' }])
})

test('a client that has not taken the end of an answer holds its instance no longer either', async () => {
  const { port: instance } = await httpInstance((_req, res) => void res.end(Buffer.alloc(16 * 1024 * 1024)))
  await released(await askAndTakeNothing(instance), 1)
})

/** Rests for some milliseconds whenever it has taken so many bytes, for as long as the connection lasts. */
const readSlowly = (client: RawClient, bytes: number, everyMs: number): void => {
  let sinceRest = 0
  client.socket.on('data', (piece) => {
    sinceRest += piece.length
    if (sinceRest < bytes) return
    sinceRest = 0
    client.socket.pause()
    setTimeout(() => client.socket.resume(), everyMs)
  })
}

test('a client that takes a little of its answer again and again is cut off, and holds no lease any more', async () => {
  const { port: instance } = await endless()
  const harness = await startRouter(endpointAt(instance), { patience: { read: within(500, 256 * 1_024 * 1_024) } })
  const client = await rawClient(harness.port)
  readSlowly(client, 1, 5)
  client.write(get())
  await client.receives('200 OK')
  const before = client.socket.bytesRead
  await released(harness, 1)
  expect(client.socket.bytesRead).toBeGreaterThan(before)
  expect(harness.lines).toMatchObject([{ level: 'info', message: 'the client took its answer too slowly' }])
  // Node may take the reset for an end when it comes with the last bytes: what matters is that the answer does not look complete.
  await client.closed
  expect(client.text().slice(-5)).not.toBe('0\r\n\r\n')
})

test('a client that takes its answer no slower than it must is let read to the end', async () => {
  const size = 64 * 1_024 * 1_024
  const { port: instance } = await httpInstance((_req, res) => void res.end(Buffer.alloc(size)))
  const windowMs = 800
  const harness = await startRouter(endpointAt(instance), { patience: { read: within(windowMs, 1_024) } })
  const client = await rawClient(harness.port)
  // More at once than the kernel waits for before it takes more.
  readSlowly(client, 4 * 1_024 * 1_024, 200)
  const beganMs = performance.now()
  client.write(get())
  expect(await client.closed).toBe('end')
  expect(performance.now() - beganMs).toBeGreaterThan(3 * windowMs)
  expect(client.socket.bytesRead).toBeGreaterThan(size)
})

test('a client that goes on sending and takes nothing is cut off as one that is silent', async () => {
  const { port: instance } = await endless()
  const harness = await startRouter(endpointAt(instance), { patience: { read: within(300) } })
  const client = await rawClient(harness.port)
  client.write(post('Content-Length: 1000000\r\n'))
  const sending = setInterval(() => client.write('x'), 20)
  client.socket.once('close', () => clearInterval(sending))
  await client.receives('200 OK')
  client.socket.pause()
  await released(harness, 1)
})

test('a client that has taken all there was is never too slow, however little comes', async () => {
  const windowMs = 100
  const { port: instance } = await httpInstance((_req, res) => {
    // More than the kernel takes at once, so that the client is waited for at first.
    res.write(' '.repeat(8 * 1_024 * 1_024))
    let events = 0
    const timer = setInterval(() => {
      events += 1
      if (events < 40) return void res.write(`data: ${events}\n\n`)
      clearInterval(timer)
      res.end('data: last\n\n')
    }, windowMs / 5)
  })
  const harness = await startRouter(endpointAt(instance), {
    patience: { read: within(windowMs, 1_024 * 1_024 * 1_024) },
  })
  const client = await rawClient(harness.port)
  client.write(get('/events'))
  expect(await client.closed).toBe('end')
  expect(client.text()).toContain('data: last')
})

/** Sends requests ahead of their answers, none of which it takes, until it is cut off. */
const takeNothing = async (harness: Harness, request: string, answered: () => number): Promise<void> => {
  const client = await rawClient(harness.port)
  client.socket.pause()
  let sent = 0
  await waitUntil(() => {
    const isCut = harness.lines.some(({ message }) => message === 'the client took its answer too slowly')
    if (!isCut && sent - answered() < 10) {
      client.write(request.repeat(50))
      sent += 50
    }
    return isCut
  })
}

test('a client that takes none of many small answers holds its instance no longer either', async () => {
  const { port: instance } = await httpInstance((_req, res) => {
    res.setHeader('x-large', 'x'.repeat(12_000))
    res.end('small')
  })
  const harness = await startRouter(endpointAt(instance), { patience: { read: within(300) } })
  await takeNothing(harness, post('', 'GET'), harness.releases)
  await until(() => harness.leases() === 0, 'the lease is released')
})

test.each([
  ['that refuses', 'GET / HTTP/1.1\r\nHost: nobody.example.net\r\nAccept: text/html\r\n\r\n'],
  ['that says that an instance sleeps', `GET /health HTTP/1.1\r\nHost: ${hostOf}\r\n\r\n`],
  ['that says how a wake goes', `GET /.well-known/tenement/wake HTTP/1.1\r\nHost: ${hostOf}\r\n\r\n`],
])("a client that takes none of tenement's own answers %s does not keep its connection", async (_, request) => {
  let answered = 0
  const harness = await startRouter(undefined, {
    ...{ patience: { read: within(300) }, isAsleep: () => true, rules: { asleepHealth: ['/health'] } },
  })
  harness.router.server.on('request', (_req, res) => res.once('close', () => answered++))
  await takeNothing(harness, request, () => answered)
})

test('a client that takes its answer slowly is let read, and so is one that has nothing to read', async () => {
  const size = 8 * 1024 * 1024
  const { port: instance } = await httpInstance((req, res) => {
    if (req.url === '/large') return void res.end(Buffer.alloc(size))
    res.write(`${' '.repeat(size)}data: 1\n\n`)
    setTimeout(() => res.end('data: 2\n\n'), 3_500)
  })
  const harness = await startRouter(endpointAt(instance), { patience: { read: within(1_500) } })
  const events = await rawClient(harness.port)
  events.write(get('/events'))
  const large = await rawClient(harness.port)
  let received = 0
  large.socket.on('data', (data) => {
    received += data.length
    large.socket.pause()
    setTimeout(() => large.socket.resume(), 5)
  })
  large.write(get('/large'))
  expect(await large.closed).toBe('end')
  expect(received).toBeGreaterThan(size)
  expect(await events.closed).toBe('end')
  expect(events.text()).toContain('data: 2')
})

test('a request sent ahead of an answer that was taken slowly may be answered after a long silence', async () => {
  const windowMs = 400
  const { port: instance } = await httpInstance((req, res) => {
    if (req.url === '/large') return void res.end(Buffer.alloc(8 * 1024 * 1024, 'x'))
    setTimeout(() => res.end('after a silence'), windowMs * 3)
  })
  const harness = await startRouter(endpointAt(instance), { patience: { read: within(windowMs) } })
  const client = await rawClient(harness.port)
  client.write(`GET /large HTTP/1.1\r\nHost: ${hostOf}\r\n\r\n${get('/silent')}`)
  await client.receives('200 OK')
  await client.closed
  expect(client.text()).toContain('after a silence')
})

// What is held in memory.

test('pieces of bodies that wait for a wake have a bound together, beyond which requests are refused', async () => {
  const ready = signal()
  const { port: instance } = await httpInstance((req, res) => void req.pipe(res))
  const guards = withMemory(2 * 65_536)
  const harness = await startRouter(undefined, {
    guards,
    wake: async () => {
      await ready.given
      return endpointAt(instance)
    },
  })
  const clients = [await rawClient(harness.port), await rawClient(harness.port)]
  for (const [at, client] of clients.entries()) {
    client.write(post(`Content-Length: ${at === 0 ? 1_000_000 : 65_536}\r\nConnection: close\r\n`))
    await until(() => harness.wakes.length === at + 1, 'the wake was asked for')
  }
  const refused = await ask(harness.port, `${post('Connection: close\r\nContent-Length: 1\r\n')}x`)
  expect(refused).toMatch(/^HTTP\/1\.1 503 /)
  expect(refused).toContain('x-tenement-reason: queue_full\r\n')
  const bodiless = await rawClient(harness.port)
  bodiless.write(get())
  await until(() => harness.wakes.length === 3, 'a request without a body waits like any other')
  ready.give()
  clients[1]?.socket.write(Buffer.alloc(65_536, 'x'))
  await clients[1]?.closed
  expect(clients[1]?.text()).toMatch(/^HTTP\/1\.1 200 /)
  clients[0]?.socket.destroy()
  await released(harness, 3)
  expect(guards.memory.taken).toBe(0)
})

test('heads of very many lines that wait for a wake have the same bound, and usual ones none', async () => {
  const harness = await startRouter(undefined, { guards: withMemory(100_000), wake: () => new Promise(() => {}) })
  const usual = await rawClient(harness.port)
  usual.write(post('ab: c\r\n'.repeat(90), 'GET'))
  const many = await rawClient(harness.port)
  many.write(post('ab: c\r\n'.repeat(900), 'GET'))
  await until(() => harness.wakes.length === 2, 'both wait')
  expect(await ask(harness.port, post(`Connection: close\r\n${'ab: c\r\n'.repeat(900)}`, 'GET'))).toContain(
    'x-tenement-reason: queue_full\r\n',
  )
  usual.socket.destroy()
  const next = await rawClient(harness.port)
  next.write(post('ab: c\r\n'.repeat(90), 'GET'))
  await until(() => harness.wakes.length === 3, 'a usual one waits like any other')
})

/** The bytes of a body in chunks, and how many these were. */
const unchunk = (body: string): { readonly bytes: string; readonly chunks: number } => {
  const chunks = [...body.matchAll(/([0-9a-f]+)\r\n(x+)\r\n/g)]
  return { bytes: chunks.map(([, , bytes]) => bytes).join(''), chunks: chunks.length }
}

// Each chunk that is kept costs hundreds of bytes beside its own, so a client could fill the memory with next to nothing.
test('the chunks of a body that waits for a wake are kept as one piece', async () => {
  const ready = signal()
  const instance = await rawInstance((socket, sofar) => {
    if (sofar.endsWith('\r\n0\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  })
  const harness = await startRouter(undefined, {
    wake: async () => {
      await ready.given
      return endpointAt(instance.port)
    },
  })
  let arrived = (): number => 0
  harness.router.server.once('connection', (socket) => {
    arrived = () => socket.bytesRead
  })
  const client = await rawClient(harness.port)
  const bytes = 10_000
  const chunks = '1\r\nx\r\n'.repeat(bytes)
  client.write(`${post('Transfer-Encoding: chunked\r\nConnection: close\r\n')}${chunks}`)
  await until(() => arrived() > chunks.length, 'the chunks have arrived')
  ready.give()
  client.write('0\r\n\r\n')
  await client.receives('200 OK')
  const got = unchunk(instance.heard[0]?.split('\r\n\r\n')[1] ?? '')
  expect(got.bytes).toHaveLength(bytes)
  expect(got.chunks).toBeLessThan(100)
})

test("bodies that wait for some instances are in nobody's way to one that is ready", async () => {
  const { port: instance } = await httpInstance((req, res) => void req.pipe(res))
  const harness = await startRouter(endpointAt(instance), {
    guards: withMemory(0),
    isReady: (name) => name === 'notes:alice',
  })
  const request = `${post('Connection: close\r\nContent-Length: 5\r\n')}ready`
  expect(await ask(harness.port, request)).toContain('\r\nready\r\n')
  expect(await ask(harness.port, request.replace('alice', 'bob'))).toMatch(/^HTTP\/1\.1 503 /)
})

// What may be needed twice.

/** The second request on its first connection is met with a reset once so much of it has come. */
const closesIdle = async (hasEnough: (secondRequest: string) => boolean): Promise<RawInstance> =>
  rawInstance((socket, sofar, connection) => {
    const second = sofar.split('\r\n\r\n').slice(1).join('\r\n\r\n')
    if (connection === 0 && second !== '' && hasEnough(second)) return void socket.destroy()
    if (connection === 0 && second !== '') return
    if (connection === 0 || /\.(\r\n0\r\n\r\n)?$/.test(sofar))
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  })

const answerOnReused = async (
  bytes: string,
  rules = {},
  guards = withMemory(1_000_000),
): Promise<{ status: string; instance: RawInstance }> => {
  const instance = await closesIdle((second) => second.includes('\r\n\r\n'))
  const harness = await startRouter(endpointAt(instance.port), { rules, guards })
  await ask(harness.port, get('/first'))
  await released(harness, 1)
  const answer = await ask(harness.port, bytes)
  await released(harness, 2)
  expect(guards.memory.taken).toBe(0)
  return { status: answer.slice(9, 12), instance }
}

const upload = (method: string, body: string, more = ''): string =>
  `${post(`Connection: close\r\nContent-Length: ${body.length}\r\n${more}`, method)}${body}`

test('an idle connection the instance closes under a small body costs idempotent requests nothing', async () => {
  const body = `${'x'.repeat(20_000)}.`
  for (const method of ['PUT', 'DELETE']) {
    const { status, instance } = await answerOnReused(upload(method, body))
    expect(status).toBe('200')
    expect(instance.heard[1]?.split('\r\n\r\n')[1]).toBe(body)
  }
})

test('a body of which the client sends the rest only after the break arrives whole all the same', async () => {
  const instance = await closesIdle((second) => second.endsWith('first'))
  const harness = await startRouter(endpointAt(instance.port))
  await ask(harness.port, get('/first'))
  await released(harness, 1)
  const client = await rawClient(harness.port)
  client.write(post('Transfer-Encoding: chunked\r\nConnection: close\r\n', 'PUT'))
  client.write('5\r\nfirst\r\n')
  await until(() => instance.heard[1]?.endsWith('first') === true, 'the second try has what the first had')
  client.write('5\r\nlast.\r\n0\r\n\r\n')
  await client.closed
  expect(instance.heard[1]?.split('\r\n\r\n')[1]).toBe('5\r\nfirst\r\n5\r\nlast.\r\n0')
})

test('a body that was too large to keep is not sent twice, in whole or in part', async () => {
  const body = `${'x'.repeat(200_000)}.`
  const instance = await closesIdle((second) => second.length > 150_000)
  const harness = await startRouter(endpointAt(instance.port))
  await ask(harness.port, get('/first'))
  await released(harness, 1)
  expect(await ask(harness.port, upload('PUT', body))).toMatch(/^HTTP\/1\.1 502 /)
  expect(instance.sockets).toHaveLength(1)
})

test('memory for a body that may be needed twice is given back once it is too large to keep, or its answer has begun', async () => {
  const { port: instance } = await httpInstance((req, res) => {
    req.on('error', () => {})
    if (req.method === 'PUT') req.resume()
    if (req.url === '/answers') res.flushHeaders()
    if (req.method === 'GET') res.end()
  })
  for (const [path, sent] of [
    ['/answers', 10],
    ['/is-silent', 100_000],
  ] as const) {
    const guards = withMemory(1_000_000)
    const harness = await startRouter(endpointAt(instance), { guards })
    const client = await rawClient(harness.port)
    client.write(post('', 'GET'))
    await client.receives('200 OK')
    client.write(`PUT ${path} HTTP/1.1\r\nHost: ${hostOf}\r\nContent-Length: 1000000\r\n\r\n`)
    await until(() => guards.memory.taken > 0, 'there is memory for the body')
    client.write('x'.repeat(sent))
    await until(() => guards.memory.taken === 0, `the memory is given back for ${path}`)
    expect(harness.leases()).toBe(1)
  }
})

test('a body for which there is no memory is not sent twice', async () => {
  const { status } = await answerOnReused(upload('PUT', 'x.'), {}, withMemory(1_000))
  expect(status).toBe('502')
})

test('a POST is sent twice only with an Idempotency-Key and where its service says so', async () => {
  const key = 'Idempotency-Key: "8e03978e"\r\n'
  const retryPost = true
  const keyed = await answerOnReused(upload('POST', 'x.', key), { retryPost })
  expect(keyed.status).toBe('200')
  expect((await answerOnReused(upload('PATCH', 'x.', key), { retryPost })).status).toBe('200')
  expect((await answerOnReused(upload('POST', 'x.', key))).status).toBe('502')
  expect((await answerOnReused(upload('POST', 'x.'), { retryPost })).status).toBe('502')
})

test('a body whose beginning was lost with a connection is not given to the next start without it', async () => {
  const first = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const second = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const endpoint = endpointAt(first.port)
  const starts = [endpoint, endpoint, endpointAt(second.port)]
  const harness = await startRouter(undefined, {
    wake: async () => starts.shift() ?? Promise.reject(new Error('no further start in this test')),
  })
  await ask(harness.port, get('/first'))
  const [idle] = endpoint.connections
  if (idle === undefined) throw new Error('there is no connection')
  // It ends with the instance in the moment in which a piece is given to it, and takes nothing of it.
  idle.write = () => {
    endpoint.leave()
    idle.destroy()
    return false
  }
  const client = await rawClient(harness.port)
  client.write(`${post('Transfer-Encoding: chunked\r\n')}5\r\nfirst\r\n`)
  await client.receives('x-tenement-reason')
  expect(client.text()).toMatch(/^HTTP\/1\.1 503 /)
  expect(client.text()).toContain('x-tenement-delivered: 0\r\n')
  expect(second.heard).toEqual([])
  await released(harness, 2)
})

test('an instance that breaks every connection gets ten more tries in hand, not one more for each request', async () => {
  const instance = await rawInstance((socket) => socket.destroy())
  const harness = await startRouter(endpointAt(instance.port))
  for (let number = 0; number < 20; number += 1) await ask(harness.port, get())
  // Ten in hand, a tenth of the requests, and one for each ten seconds that this took.
  expect(instance.sockets.length).toBeGreaterThanOrEqual(30)
  expect(instance.sockets.length).toBeLessThanOrEqual(34)
})

test('an instance that refuses a connection for a moment is asked once more before that is a 503', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')
  const endpoint = endpointAt(instance.port)
  let connects = 0
  const harness = await startRouter({
    ...endpoint,
    connect: () => (connects++ === 0 ? Promise.reject(new Error('connect ECONNREFUSED')) : endpoint.connect()),
  })
  expect(await ask(harness.port, get())).toMatch(/^HTTP\/1\.1 200 OK/)
  expect(connects).toBe(2)
  await released(harness, 1)
})
