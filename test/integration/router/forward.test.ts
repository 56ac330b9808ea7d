// Requests on their way to an instance and answers on their way back, over real sockets.
import { afterEach, expect, test } from 'vitest'
import {
  answering,
  ask,
  cleanUp,
  endpointAt,
  get,
  hostOf,
  httpInstance,
  rawClient,
  rawInstance,
  signal,
  startRouter,
  until,
} from './harness.ts'

afterEach(cleanUp)

test('a path reaches the instance byte for byte', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const { port } = await startRouter(endpointAt(instance.port))
  for (const path of ['//x', '/a/../b%2f', '/?a=1&b=%zz', "/~!$'()*+,;=:@", '/a|b^`{}']) await ask(port, get(path))
  const lines = instance.heard.join('').match(/^GET [^\r]*/gm)
  expect(lines).toEqual([
    'GET //x HTTP/1.1',
    'GET /a/../b%2f HTTP/1.1',
    'GET /?a=1&b=%zz HTTP/1.1',
    "GET /~!$'()*+,;=:@ HTTP/1.1",
    'GET /a|b^`{} HTTP/1.1',
  ])
})

test('header bytes beyond ASCII pass unchanged in both directions', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\nContent-Length: 0\r\n\r\n')
  const { port } = await startRouter(endpointAt(instance.port))
  const answer = await ask(port, get('/', 'X-Sent: \xe9\xff\r\n'))
  expect(answer).toContain('X-Name: caf\xe9\r\n')
  expect(instance.heard[0]).toContain('X-Sent: \xe9\xff\r\n')
})

const everyByte = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('')
const inChunks = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`

test.each([
  ['with a length', `Content-Length: ${everyByte.length}\r\n\r\n${everyByte}`],
  ['in chunks', `Transfer-Encoding: chunked\r\n\r\n${inChunks(everyByte)}`],
  ['until the connection ends', `\r\n${everyByte}`],
])('a short body %s, which leaves in one piece with its head, keeps every byte', async (_framing, rest) => {
  const instance = await answering(`HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\n${rest}`, true)
  const { port } = await startRouter(endpointAt(instance.port))
  const answer = await ask(port, get())
  expect(answer).toContain('X-Name: caf\xe9\r\n')
  expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toContain(everyByte)
})

test('header bytes beyond ASCII pass unchanged in a head that is sent long before its body', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\nTransfer-Encoding: chunked\r\n\r\n')
  const { port } = await startRouter(endpointAt(instance.port))
  const client = await rawClient(port)
  client.write(get())
  await client.receives('X-Name: caf\xe9\r\n')
})

test('several cookies stay several, in their order and spelling', async () => {
  const instance = await answering(
    'HTTP/1.1 200 Fine\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nSET-COOKIE: a=3\r\nContent-Length: 2\r\n\r\nhi',
  )
  const { port } = await startRouter(endpointAt(instance.port))
  const answer = await ask(port, get())
  expect(answer).toMatch(/^HTTP\/1\.1 200 Fine\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nSET-COOKIE: a=3\r\n/)
  expect(answer.endsWith('\r\n\r\nhi')).toBe(true)
})

test("L4 answers of its own: an instance's own errors pass through without a word of tenement", async () => {
  const instance = await answering(
    'HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nx-tenement-reason: waking\r\nX-Tenement-Delivered: 0\r\n\r\nbusy',
  )
  const { port, lines } = await startRouter(endpointAt(instance.port))
  const answer = await ask(port, get())
  expect(answer).toMatch(/^HTTP\/1\.1 503 Busy\r\n/)
  expect(answer.toLowerCase()).not.toContain('x-tenement')
  expect(lines).toEqual([])
})

test('103 goes ahead and the final head follows it', async () => {
  const instance = await answering(
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
  )
  const { port } = await startRouter(endpointAt(instance.port))
  const answer = await ask(port, get())
  expect(answer).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
  expect(answer.endsWith('hi')).toBe(true)
})

test('a flood of 103 does not pile up: the first few are passed on, then the final head', async () => {
  const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n'
  const instance = await answering(`${hint.repeat(500)}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi`)
  const { port } = await startRouter(endpointAt(instance.port))
  const answer = await ask(port, get())
  expect(answer.match(/103 Early/g)).toHaveLength(16)
  expect(answer).toMatch(/HTTP\/1\.1 200 OK\r\n(.+\r\n)+\r\nhi$/)
})

test('an HTTP/1.0 client gets no 103, and an answer that ends with the connection', async () => {
  const instance = await answering(
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n',
  )
  const { port } = await startRouter(endpointAt(instance.port))
  const client = await rawClient(port)
  client.write(`GET / HTTP/1.0\r\nHost: ${hostOf}\r\n\r\n`)
  expect(await client.closed).toBe('end')
  expect(client.text()).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(client.text()).not.toMatch(/transfer-encoding|trailer|103/i)
  expect(client.text().endsWith('\r\n\r\nhi')).toBe(true)
})

test('trailers of an answer reach the client, those that would change its head do not', async () => {
  const instance = await answering(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: abc\r\nSet-Cookie: a=1\r\nx-tenement-reason: waking\r\n\r\n',
  )
  const { port } = await startRouter(endpointAt(instance.port))
  const answer = await ask(port, get())
  expect(answer).toContain('Trailer: X-Sum\r\n')
  expect(answer.endsWith('2\r\nhi\r\n0\r\nX-Sum: abc\r\n\r\n')).toBe(true)
})

test('answers without a body have none, whatever their head says', async () => {
  const answers = [
    'HTTP/1.1 204 No Content\r\nTrailer: X\r\n\r\n',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n',
  ]
  for (const given of answers) {
    const instance = await answering(given)
    const { port, leases } = await startRouter(endpointAt(instance.port))
    const client = await rawClient(port)
    client.write(`GET / HTTP/1.1\r\nHost: ${hostOf}\r\n\r\n`)
    await client.receives('\r\n\r\n')
    await until(() => leases() === 0, 'the lease is released')
    expect(client.text()).toMatch(/\r\n\r\n$/)
    expect(client.text()).not.toMatch(/transfer-encoding/i)
  }
})

test('HEAD gets the length of a GET and no body, and the connection goes on', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n')
  const { port } = await startRouter(endpointAt(instance.port))
  const client = await rawClient(port)
  client.write(`HEAD / HTTP/1.1\r\nHost: ${hostOf}\r\n\r\n`)
  await client.receives('Content-Length: 500\r\n')
  client.write(`HEAD /two HTTP/1.1\r\nHost: ${hostOf}\r\nConnection: close\r\n\r\n`)
  await client.closed
  expect(client.text().match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
})

test('an absolute-form target reaches the instance in origin-form', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const { port } = await startRouter(endpointAt(instance.port))
  await ask(port, `GET http://${hostOf}/a?b HTTP/1.1\r\nHost: ${hostOf}\r\nConnection: close\r\n\r\n`)
  expect(instance.heard[0]).toMatch(new RegExp(`^GET /a\\?b HTTP/1.1\\r\\nhost: ${hostOf}\\r\\n`, 'i'))
})

test('events are passed on one by one while the stream stays open', async () => {
  const instance = await rawInstance((socket, sofar) => {
    if (sofar.endsWith('\r\n\r\n'))
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n')
  })
  const { port, leases } = await startRouter(endpointAt(instance.port))
  const client = await rawClient(port)
  client.write(get('/events'))
  await client.receives('text/event-stream')
  instance.sockets[0]?.write('9\r\ndata: 1\n\n\r\n')
  await client.receives('data: 1')
  instance.sockets[0]?.write('9\r\ndata: 2\n\n\r\n')
  await client.receives('data: 2')
  expect(leases()).toBe(1)
  instance.sockets[0]?.write('0\r\n\r\n')
  await client.closed
  await until(() => leases() === 0, 'the lease is released')
})

test('an instance that closes after each answer serves one request after the other', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody', true)
  const { port } = await startRouter(endpointAt(instance.port))
  for (const path of ['/1', '/2', '/3']) expect(await ask(port, get(path))).toContain('4\r\nbody\r\n0\r\n\r\n')
  expect(instance.sockets).toHaveLength(3)
})

test('connections to an instance are used again, and closed when it is gone', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const endpoint = endpointAt(instance.port)
  const { port, leases } = await startRouter(endpoint)
  for (const path of ['/1', '/2', '/3']) {
    await ask(port, get(path))
    await until(() => leases() === 0, 'the lease is released')
  }
  expect(endpoint.connections).toHaveLength(1)
  endpoint.leave()
  expect(endpoint.connections[0]?.destroyed).toBe(true)
})

test('a request under way when its instance is gone is finished', async () => {
  const instance = await rawInstance((socket, sofar) => {
    if (sofar.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha')
  })
  const endpoint = endpointAt(instance.port)
  const { port } = await startRouter(endpoint)
  const client = await rawClient(port)
  client.write(get())
  await client.receives('ha')
  endpoint.leave()
  instance.sockets[0]?.write('lf')
  await client.closed
  expect(client.text().endsWith('half')).toBe(true)
  await until(() => endpoint.connections[0]?.destroyed === true, 'the connection is closed')
})

test('a body goes up and comes back, with a length or in chunks', async () => {
  const { port: instance } = await httpInstance((req, res) => {
    res.setHeader('x-framing', `${req.headers['content-length']}/${req.headers['transfer-encoding']}`)
    req.pipe(res)
  })
  const { port } = await startRouter(endpointAt(instance))
  const head = `POST / HTTP/1.1\r\nHost: ${hostOf}\r\nConnection: close\r\n`
  const sized = await ask(port, `${head}Content-Length: 5\r\n\r\nhello`)
  expect(sized).toContain('x-framing: 5/undefined')
  expect(sized).toContain('5\r\nhello\r\n0\r\n\r\n')
  const client = await rawClient(port)
  client.write(`${head}Transfer-Encoding: Chunked\r\n\r\n3\r\nhel\r\n`)
  await client.receives('x-framing: undefined/chunked')
  await client.receives('3\r\nhel\r\n')
  client.write('2\r\nlo\r\n0\r\n\r\n')
  await client.closed
  expect(client.text()).toContain('3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n')
})

test('"100 Continue" comes when the instance is ready, and not before', async () => {
  const { port: instance } = await httpInstance((req, res) => void req.pipe(res))
  const ready = signal()
  const { port, wakes } = await startRouter(undefined, {
    wake: async () => {
      await ready.given
      return endpointAt(instance)
    },
  })
  const client = await rawClient(port)
  client.write(
    `POST / HTTP/1.1\r\nHost: ${hostOf}\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
  )
  await until(() => wakes.length === 1, 'the wake was asked for')
  expect(client.text()).toBe('')
  ready.give()
  await client.receives('HTTP/1.1 100 Continue\r\n\r\n')
  client.write('hi')
  await client.closed
  expect(client.text()).toContain('hi')
})

test('an early answer reaches a client that is still uploading', async () => {
  const instance = await rawInstance((socket, sofar) => {
    if (sofar.includes('\r\n\r\n')) socket.end('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig')
  })
  const { port, leases } = await startRouter(endpointAt(instance.port))
  const client = await rawClient(port)
  client.write(`POST / HTTP/1.1\r\nHost: ${hostOf}\r\nContent-Length: 1000000\r\n\r\nfirst`)
  await client.receives('HTTP/1.1 413 Content Too Large')
  await client.receives('big')
  await until(() => leases() === 0, 'the lease is released')
  expect(client.socket.destroyed).toBe(false)
})

test('an instance that answers early and resets the connection is still heard', async () => {
  for (let round = 0; round < 60; round++) {
    const instance = await rawInstance((socket) => {
      // Closing with bytes unread makes the kernel send a reset right behind the answer.
      socket.pause()
      socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig', () => socket.destroy())
    })
    const { port } = await startRouter(endpointAt(instance.port))
    const client = await rawClient(port)
    client.write(`POST / HTTP/1.1\r\nHost: ${hostOf}\r\nContent-Length: 4000000\r\n\r\n`)
    client.socket.write(Buffer.alloc(1_000_000))
    client.socket.write(Buffer.alloc(3_000_000))
    await client.receives('HTTP/1.1')
    expect(client.text().split('\r\n')[0]).toBe('HTTP/1.1 413 Content Too Large')
    await cleanUp()
  }
})
