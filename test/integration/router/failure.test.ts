// What a client sees when an instance, the wake or the client itself fails, and that the lease ends with it.
import { afterEach, expect, test } from 'vitest'
import { Refusal, type RefusalReason } from '../../../src/refusal.ts'
import type { Endpoint } from '../../../src/router/wake.ts'
import {
  answering,
  ask,
  cleanUp,
  endpointAt,
  get,
  type Harness,
  hostOf,
  httpInstance,
  rawClient,
  rawInstance,
  signal,
  startRouter,
  until,
} from './harness.ts'

afterEach(cleanUp)

const released = (harness: Harness, times = 1): Promise<void> =>
  until(() => harness.leases() === 0 && harness.releases() === times, `the lease is released ${times} times`)

const request = (method: string, more = '', body = ''): string =>
  `${method} / HTTP/1.1\r\nHost: ${hostOf}\r\nConnection: close\r\n${more}\r\n${body}`

const expectAnswer = (answer: string, status: number, reason: string, delivered: 0 | 1): void => {
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect(answer).toContain(`x-tenement-reason: ${reason}\r\n`)
  expect(answer).toContain(`x-tenement-delivered: ${delivered}\r\n`)
  expect(answer).toContain('Cache-Control: no-store\r\n')
}

test('every refusal is a 503 that was not delivered and says when to come back', async () => {
  const reasons: RefusalReason[] = [
    'waking',
    'queue_full',
    'capacity',
    'start_failed',
    'backoff',
    'crashloop',
    'disabled',
    'unavailable',
    'unreachable',
    'shutting_down',
  ]
  for (const reason of reasons) {
    const harness = await startRouter(undefined, {
      wake: async () => Promise.reject(new Refusal(reason, 'no', { retryAfterMs: 7_000 })),
    })
    const answer = await ask(harness.port, get())
    expectAnswer(answer, 503, reason, 0)
    expect(answer).toContain('Retry-After: 7\r\n')
    expect(harness.lines).toMatchObject([{ instance: 'notes:alice', reason, status: 503 }])
    expect(harness.releases()).toBe(0)
  }
})

test('a fault in tenement is a 500, and nothing of it is told', async () => {
  const harness = await startRouter(undefined, { wake: async () => Promise.reject(new Error('secret detail')) })
  const answer = await ask(harness.port, get())
  expect(answer).toMatch(/^HTTP\/1\.1 500 /)
  expect(answer).not.toContain('secret')
  expect(harness.lines).toContainEqual(expect.objectContaining({ level: 'error', instance: 'notes:alice' }))
})

test('a fault in tenement before an instance is found costs one request, not the server', async () => {
  const match = (): string | undefined => {
    throw new Error('secret detail')
  }
  const harness = await startRouter(undefined, { match })
  for (const path of ['/1', '/2']) expectAnswer(await ask(harness.port, get(path)), 500, 'internal', 1)
})

test('L4 unknown host: an unknown instance and an unknown service get the same 404, and wake nothing', async () => {
  const harness = await startRouter(undefined)
  const ofHost = async (host: string): Promise<string> =>
    (await ask(harness.port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).replace(
      /Date: .*\r\n/,
      '',
    )
  const unknownId = await ofHost('carol.notes.example.com')
  expectAnswer(unknownId, 404, 'unknown_host', 0)
  expect(await ofHost('carol.nothing.example.com')).toBe(unknownId)
  expect(await ofHost('[::1]:8080')).toBe(unknownId)
  expect(harness.wakes).toHaveLength(0)
})

test('a request is held until the wake resolves', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi')
  const ready = signal()
  const harness = await startRouter(undefined, {
    wake: async () => {
      await ready.given
      return endpointAt(instance.port)
    },
  })
  const client = await rawClient(harness.port)
  client.write(get())
  await until(() => harness.wakes.length === 1, 'the wake was asked for')
  expect(client.text()).toBe('')
  ready.give()
  await client.closed
  expect(client.text()).toMatch(/^HTTP\/1\.1 200 OK/)
  await released(harness)
})

test('a client that leaves while it is held ends its waiting, and gets no lease', async () => {
  const harness = await startRouter(undefined, {
    wake: (context) =>
      new Promise((_resolve, reject) => context.gone.addEventListener('abort', () => reject(new Error('left')))),
  })
  const client = await rawClient(harness.port)
  client.write(`POST / HTTP/1.1\r\nHost: ${hostOf}\r\nContent-Length: 100\r\n\r\nsome`)
  await until(() => harness.wakes.length === 1, 'the wake was asked for')
  client.socket.destroy()
  await until(() => harness.wakes[0]?.gone.aborted === true, 'the waiter is told')
  expect(harness.lines).toEqual([])
})

test('a lease that comes after its client has left is released unused', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const ready = signal()
  const harness = await startRouter(undefined, {
    wake: async () => {
      await ready.given
      return endpointAt(instance.port)
    },
  })
  const client = await rawClient(harness.port)
  client.write(get())
  await until(() => harness.wakes.length === 1, 'the wake was asked for')
  client.socket.destroy()
  await until(() => harness.wakes[0]?.gone.aborted === true, 'the waiter is told')
  ready.give()
  await released(harness)
  expect(instance.sockets).toHaveLength(0)
})

test('L4 unreachable: an instance that does not accept is a 503 that is safe to repeat', async () => {
  const closed = await answering('')
  await cleanUp()
  const harness = await startRouter(endpointAt(closed.port))
  expectAnswer(await ask(harness.port, request('POST', 'Content-Length: 4\r\n', 'data')), 503, 'unreachable', 0)
  await released(harness)
})

test('L4 refused after ready: a request whose instance has just ended is given, whole, to the next start, once', async () => {
  const bodies: string[] = []
  const live = await httpInstance((req, res) => {
    let body = ''
    req.on('data', (chunk) => {
      body += chunk
    })
    req.on('end', () => {
      bodies.push(body)
      res.end('from the next start')
    })
  })
  const ended = new AbortController()
  const endings: Endpoint = {
    ...endpointAt(1),
    gone: ended.signal,
    // The process is gone, and the supervisor hears of it a little later.
    connect: () => {
      setTimeout(() => ended.abort(), 30)
      return Promise.reject(new Error('connect ECONNREFUSED'))
    },
  }
  const starts: Endpoint[] = [endings, endpointAt(live.port)]
  const harness = await startRouter(undefined, { wake: async () => starts.shift() ?? endings })
  const answer = await ask(harness.port, request('POST', 'Content-Length: 4\r\n', 'data'))
  expect(answer).toContain('from the next start')
  expect(bodies).toEqual(['data'])
  await released(harness, 2)
})

test('a connection that is never made is a 503 that is safe to repeat', async () => {
  const harness = await startRouter({ ...endpointAt(1), connect: () => new Promise(() => {}) })
  expectAnswer(await ask(harness.port, get()), 503, 'unreachable', 0)
  await released(harness)
})

test('L4 broke before its head: an instance that breaks off before its answer is a 502, after one more try where that is safe', async () => {
  const triesOf = async (method: string, more = '', body = ''): Promise<number> => {
    const instance = await rawInstance((socket) => socket.destroy())
    const harness = await startRouter(endpointAt(instance.port))
    expectAnswer(await ask(harness.port, request(method, more, body)), 502, 'upstream_broke', 1)
    await released(harness)
    return instance.sockets.length
  }
  expect(await triesOf('GET')).toBe(2)
  expect(await triesOf('OPTIONS')).toBe(2)
  expect(await triesOf('DELETE')).toBe(1)
  expect(await triesOf('PUT')).toBe(1)
  expect(await triesOf('POST', 'Content-Length: 0\r\n')).toBe(1)
  expect(await triesOf('GET', 'Content-Length: 4\r\n', 'data')).toBe(1)
})

test('an idle connection the instance closes under a request costs idempotent requests nothing', async () => {
  const statusOf = async (method: string, more = '', body = ''): Promise<string> => {
    // The first request of each connection is answered, the second closes it.
    const instance = await rawInstance((socket, sofar, connection) => {
      const heads = sofar.split('\r\n\r\n').length - 1
      if (connection === 0 && heads > 1) socket.destroy()
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
    const harness = await startRouter(endpointAt(instance.port))
    await ask(harness.port, get('/first'))
    await released(harness)
    const answer = await ask(harness.port, request(method, more, body))
    await released(harness, 2)
    expect(instance.heard[0]).toContain(`\r\n\r\n${method} `)
    return answer.slice(9, 12)
  }
  for (const method of ['GET', 'OPTIONS', 'PUT', 'DELETE']) expect(await statusOf(method)).toBe('200')
  expect(await statusOf('POST', 'Content-Length: 0\r\n')).toBe('502')
})

test('a first try that reached the instance makes it a 502 though the second could not connect', async () => {
  const instance = await rawInstance((socket) => socket.destroy())
  const endpoint = endpointAt(instance.port)
  let connects = 0
  const harness = await startRouter({
    ...endpoint,
    connect: () => (connects++ === 0 ? endpoint.connect() : Promise.reject(new Error('refused'))),
  })
  expectAnswer(await ask(harness.port, get()), 502, 'upstream_broke', 1)
  expect(connects).toBe(2)
})

test('L4 no head in time: an instance that gives no head in time is a 504, tried once', async () => {
  const instance = await answering('')
  const harness = await startRouter(endpointAt(instance.port, 100))
  expectAnswer(await ask(harness.port, get()), 504, 'upstream_timeout', 1)
  expect(instance.sockets).toHaveLength(1)
  await until(
    () => instance.sockets[0]?.destroyed === true || instance.sockets[0]?.readableEnded === true,
    'the instance is told',
  )
  await released(harness)
})

test('half a head is no answer either', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nContent-', true)
  const harness = await startRouter(endpointAt(instance.port))
  expectAnswer(await ask(harness.port, get()), 502, 'upstream_broke', 1)
  expect(instance.sockets).toHaveLength(1)
})

test('an upload that moves is not timed out', async () => {
  const instance = await rawInstance((socket, sofar) => {
    if (sofar.endsWith('.')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  })
  const harness = await startRouter(endpointAt(instance.port, 1_000))
  const client = await rawClient(harness.port)
  client.write(`POST / HTTP/1.1\r\nHost: ${hostOf}\r\nConnection: close\r\nContent-Length: 8\r\n\r\n`)
  for (let sent = 0; sent < 8; sent++) {
    client.write(sent === 7 ? '.' : 'x')
    const bytes = sent + 1
    await until(() => (instance.heard[0] ?? '').endsWith(sent === 7 ? '.' : 'x'.repeat(bytes)), 'the piece has arrived')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  await client.closed
  expect(client.text()).toMatch(/^HTTP\/1\.1 200 OK/)
})

test('an upload that stands still is a 504', async () => {
  const instance = await rawInstance(() => {})
  const harness = await startRouter(endpointAt(instance.port, 100))
  const client = await rawClient(harness.port)
  client.write(`POST / HTTP/1.1\r\nHost: ${hostOf}\r\nContent-Length: 8\r\n\r\nxx`)
  await client.receives('x-tenement-reason: upstream_timeout')
  await released(harness)
})

test('an upload of which no byte comes is the fault of the client, and was not delivered', async () => {
  const instance = await rawInstance(() => {})
  const harness = await startRouter(endpointAt(instance.port, 100))
  const client = await rawClient(harness.port)
  client.write(`POST / HTTP/1.1\r\nHost: ${hostOf}\r\nContent-Length: 8\r\n\r\n`)
  await client.receives('x-tenement-reason: request_timeout')
  expect(client.text()).toContain('x-tenement-delivered: 0')
  expect(instance.heard).toEqual([''])
  await released(harness)
})

test('a head that does not come to its end is a 408', async () => {
  const harness = await startRouter(undefined)
  harness.router.server.headersTimeout = 1
  const client = await rawClient(harness.port)
  client.write('GET / HTTP/1.1\r\nHo')
  await client.closed
  expectAnswer(client.text(), 408, 'request_timeout', 0)
})

test('a person in a browser gets a page where a program gets JSON', async () => {
  const harness = await startRouter(undefined, { wake: async () => Promise.reject(new Refusal('waking', 'no')) })
  const page = await ask(harness.port, get('/', 'Sec-Fetch-Mode: navigate\r\n'))
  expectAnswer(page, 503, 'waking', 0)
  expect(page).toContain('Content-Type: text/html; charset=utf-8\r\n')
  expect(await ask(harness.port, get())).toContain('Content-Type: application/problem+json\r\n')
  const head = await ask(harness.port, request('HEAD'))
  expectAnswer(head, 503, 'waking', 0)
  expect(head.endsWith('\r\n\r\n')).toBe(true)
})

test('a refused upload does not stop the next request on its connection', async () => {
  const harness = await startRouter(undefined, { wake: async () => Promise.reject(new Refusal('waking', 'no')) })
  const client = await rawClient(harness.port)
  client.write(`POST / HTTP/1.1\r\nHost: ${hostOf}\r\nContent-Length: 8\r\n\r\nhalf`)
  await client.receives('"reason":"waking"}')
  client.write(`half${get()}`)
  await client.closed
  expect(client.text().match(/"reason":"waking"/g)).toHaveLength(2)
})

test('a refused client that waits for "100 Continue" is not left guessing: the connection ends', async () => {
  const harness = await startRouter(undefined, { wake: async () => Promise.reject(new Refusal('waking', 'no')) })
  const answer = await ask(
    harness.port,
    `POST / HTTP/1.1\r\nHost: ${hostOf}\r\nExpect: 100-continue\r\nContent-Length: 8\r\n\r\n`,
  )
  expectAnswer(answer, 503, 'waking', 0)
  expect(answer).toContain('Connection: close\r\n')
  expect(answer).not.toContain('100 Continue')
})

test('what is logged of a failure names the instance and holds nothing of request or answer', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nX-Secret: tomato\r\nContent-Length: x\r\n\r\n')
  const harness = await startRouter(endpointAt(instance.port))
  expectAnswer(await ask(harness.port, get('/path?token=potato', 'Cookie: onion\r\n')), 502, 'upstream_protocol', 1)
  expect(harness.lines).toMatchObject([
    { level: 'warn', message: 'request failed', instance: 'notes:alice', reason: 'upstream_protocol', status: 502 },
  ])
  expect(JSON.stringify(harness.lines)).not.toMatch(/tomato|potato|onion/)
})

test('L4 malformed answer: an answer that is not HTTP is a 502', async () => {
  const answers = [
    'hello\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n',
    'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
    'HTTP/1.1 200 OK\r\nX: a\rInjected: b\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`,
  ]
  for (const given of answers) {
    const instance = await answering(given)
    const harness = await startRouter(endpointAt(instance.port))
    expectAnswer(await ask(harness.port, get()), 502, 'upstream_protocol', 1)
    await released(harness)
  }
})

test('an instance that dies in the middle of a body is passed on as a break, never as an end', async () => {
  const heads = ['Content-Length: 100\r\n', 'Transfer-Encoding: chunked\r\n']
  for (const head of heads) {
    for (const client of [get(), `GET / HTTP/1.0\r\nHost: ${hostOf}\r\n\r\n`]) {
      const instance = await rawInstance((socket, sofar) => {
        if (sofar.endsWith('\r\n\r\n')) socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n4\r\nhalf`)
      })
      const harness = await startRouter(endpointAt(instance.port))
      const reader = await rawClient(harness.port)
      reader.write(client)
      await reader.receives('half')
      instance.sockets[0]?.destroy()
      expect(await reader.closed).toBe('ECONNRESET')
      await released(harness)
      expect(harness.lines).toMatchObject([{ level: 'warn', instance: 'notes:alice', reason: 'upstream_broke' }])
    }
  }
})

test('a body that ends with the connection ends in order only when the connection does', async () => {
  const ends = { end: 'end', resetAndDestroy: 'ECONNRESET' } as const
  for (const how of ['end', 'resetAndDestroy'] as const) {
    const instance = await rawInstance((socket, sofar) => {
      if (sofar.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\n\r\nhalf')
    })
    const harness = await startRouter(endpointAt(instance.port))
    const client = await rawClient(harness.port)
    client.write(get())
    await client.receives('half')
    instance.sockets[0]?.[how]()
    expect(await client.closed).toBe(ends[how])
    await released(harness)
  }
})

test('a client that leaves before the answer, or in the middle of it, takes the request back from the instance', async () => {
  for (const answered of ['', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf']) {
    const instance = await answering(answered)
    const harness = await startRouter(endpointAt(instance.port))
    const client = await rawClient(harness.port)
    client.write(get())
    if (answered !== '') await client.receives('half')
    await until(() => (instance.heard[0] ?? '').endsWith('\r\n\r\n'), 'the instance has the request')
    expect(harness.leases()).toBe(1)
    client.socket.destroy()
    await until(
      () => instance.sockets[0]?.readableEnded === true || instance.sockets[0]?.destroyed === true,
      'the instance sees it',
    )
    await released(harness)
    expect(harness.lines).toEqual([])
  }
})

test('a client that leaves in the middle of its upload takes the request back from the instance', async () => {
  const instance = await rawInstance(() => {})
  const harness = await startRouter(endpointAt(instance.port))
  const client = await rawClient(harness.port)
  client.write(`POST / HTTP/1.1\r\nHost: ${hostOf}\r\nContent-Length: 100\r\n\r\nhalf`)
  await until(() => (instance.heard[0] ?? '').endsWith('half'), 'the instance has half of it')
  client.socket.destroy()
  await until(
    () => instance.sockets[0]?.readableEnded === true || instance.sockets[0]?.destroyed === true,
    'the instance sees it',
  )
  await released(harness)
})

test('L4 shutting down: closing lets a request finish, ends idle connections and accepts no more', async () => {
  const instance = await rawInstance((socket, sofar) => {
    if (sofar.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha')
  })
  const harness = await startRouter(endpointAt(instance.port))
  const silent = await rawClient(harness.port)
  const busy = await rawClient(harness.port)
  busy.write(`GET / HTTP/1.1\r\nHost: ${hostOf}\r\n\r\n`)
  await busy.receives('ha')
  const closing = harness.router.close()
  await silent.closed
  await expect(rawClient(harness.port)).rejects.toThrow('ECONNREFUSED')
  instance.sockets[0]?.write('lf')
  expect(await busy.closed).toBe('end')
  expect(busy.text().endsWith('half')).toBe(true)
  await closing
  expect(harness.leases()).toBe(0)
})
