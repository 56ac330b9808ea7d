// Requests made to be read differently by two parsers. None may bring an instance a second request, or one it would
// not have got; whatever follows on such a connection is not served.
import type { Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import {
  answering,
  ask,
  cleanUp,
  endpointAt,
  hostOf,
  httpInstance,
  rawClient,
  rawInstance,
  startRouter,
  until,
} from './harness.ts'

afterEach(cleanUp)

const second = `GET /second HTTP/1.1\r\nHost: ${hostOf}\r\n\r\n`
const head = (first: string, ...lines: string[]): string => [first, ...lines, '', ''].join('\r\n')
const host = `Host: ${hostOf}`

const refused: Record<string, string> = {
  'Content-Length beside Transfer-Encoding': `${head('POST / HTTP/1.1', host, 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
  'Transfer-Encoding beside Content-Length': `${head('POST / HTTP/1.1', host, 'Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n`,
  'two lengths': `${head('POST / HTTP/1.1', host, 'Content-Length: 5', 'Content-Length: 0')}hello`,
  'the same length twice': `${head('POST / HTTP/1.1', host, 'Content-Length: 5', 'Content-Length: 5')}hello`,
  'a list of lengths': `${head('POST / HTTP/1.1', host, 'Content-Length: 5, 5')}hello`,
  'a signed length': `${head('POST / HTTP/1.1', host, 'Content-Length: +5')}hello`,
  'a length no number can hold': head('POST / HTTP/1.1', host, 'Content-Length: 9007199254740993'),
  'a length in hexadecimal': `${head('POST / HTTP/1.1', host, 'Content-Length: 0x5')}hello`,
  'an empty length': `${head('POST / HTTP/1.1', host, 'Content-Length:')}hello`,
  'a negative length': `${head('POST / HTTP/1.1', host, 'Content-Length: -5')}hello`,
  'a vertical tab before the coding': `${head('POST / HTTP/1.1', host, 'Transfer-Encoding: \x0bchunked')}0\r\n\r\n`,
  'a comma after the coding': `${head('POST / HTTP/1.1', host, 'Transfer-Encoding: chunked,')}0\r\n\r\n`,
  'a coding with a parameter': `${head('POST / HTTP/1.1', host, 'Transfer-Encoding: chunked; q=1')}0\r\n\r\n`,
  'the coding identity': `${head('POST / HTTP/1.1', host, 'Transfer-Encoding: identity')}`,
  'an empty Transfer-Encoding': head('POST / HTTP/1.1', host, 'Transfer-Encoding:'),
  'a second coding': `${head('POST / HTTP/1.1', host, 'Transfer-Encoding: gzip, chunked')}0\r\n\r\n`,
  'an unknown coding': `${head('POST / HTTP/1.1', host, 'Transfer-Encoding: xchunked')}0\r\n\r\n`,
  'chunked twice': `${head('POST / HTTP/1.1', host, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
  'chunked in HTTP/1.0': `${head('POST / HTTP/1.0', host, 'Connection: keep-alive', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
  'a folded header': head('GET / HTTP/1.1', host, 'X: a', ' Content-Length: 5'),
  'a space before the colon': `${head('POST / HTTP/1.1', host, 'Content-Length : 5')}hello`,
  'a tab before the colon': `${head('POST / HTTP/1.1', host, 'Content-Length\t: 5')}hello`,
  'a folded line before any header': head('GET / HTTP/1.1', ' X: a', host),
  'a header without a name': head('GET / HTTP/1.1', host, ': a'),
  'a header without a colon': head('GET / HTTP/1.1', host, 'X'),
  'a space in the target': head('GET /a b HTTP/1.1', host),
  'a bare LF after a header': `GET / HTTP/1.1\r\n${host}\r\nX: a\nY: b\r\n\r\n`,
  'bare LFs throughout': `GET / HTTP/1.1\n${host}\n\n`,
  'a bare CR in a header': `GET / HTTP/1.1\r\n${host}\r\nX: a\rY: b\r\n\r\n`,
  'a NUL in a header': head('GET / HTTP/1.1', host, 'X: a\0b'),
  'two hosts': head('GET / HTTP/1.1', host, 'Host: bob.notes.example.com'),
  'the same host twice': head('GET / HTTP/1.1', host, host),
  'no host': head('GET / HTTP/1.1', 'X: a'),
  'an empty host': head('GET / HTTP/1.1', 'Host:'),
  'a host with a path': head('GET / HTTP/1.1', 'Host: alice.notes.example.com/../bob'),
  'a host with a user': head('GET / HTTP/1.1', `Host: bob@${hostOf}`),
  'a target of another host': head('GET http://bob.notes.example.com/ HTTP/1.1', host),
  'a target with a user': head(`GET http://x@${hostOf}/ HTTP/1.1`, host),
  'a target for the server as a whole': head('OPTIONS * HTTP/1.1', host),
  'HTTP/2.0 in a line': head('GET / HTTP/2.0', host),
  'HTTP/0.9': 'GET /\r\n\r\n',
  TRACE: head('TRACE / HTTP/1.1', host),
  CONNECT: head(`CONNECT ${hostOf}:443 HTTP/1.1`, host),
}

for (const [name, bytes] of Object.entries(refused)) {
  test(`L4 bad host or head: ${name} is refused, and a request behind it is not served`, async () => {
    const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    const harness = await startRouter(endpointAt(instance.port))
    const answer = await ask(harness.port, bytes + second)
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(answer).toMatch(/x-tenement-reason: (bad_request|bad_host|method_not_allowed)\r\n/)
    expect(answer).toContain('x-tenement-delivered: 0\r\n')
    expect(answer).toContain('Connection: close\r\n')
    expect(instance.sockets).toHaveLength(0)
    expect(harness.wakes).toHaveLength(0)
  })
}

test('a chunked DELETE or OPTIONS cannot smuggle a second request over a connection kept open', async () => {
  for (const method of ['DELETE', 'OPTIONS', 'GET', 'POST']) {
    const served: string[] = []
    const { port: instance } = await httpInstance((req, res) => {
      let body = ''
      req.on('data', (chunk) => {
        body += chunk
      })
      req.on('end', () => {
        served.push(`${req.method} ${req.url} ${body}`)
        res.end('ok')
      })
    })
    const { port } = await startRouter(endpointAt(instance))
    const smuggled = `GET /smuggled HTTP/1.1\r\nHost: ${hostOf}\r\n\r\n`
    const chunk = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`
    const client = await rawClient(port)
    for (const turn of ['1', '2']) {
      client.write(`${method} /${turn} HTTP/1.1\r\nHost: ${hostOf}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`)
      await until(() => served.length === Number(turn), 'the request is served')
    }
    await ask(port, `GET /last HTTP/1.1\r\nHost: ${hostOf}\r\nConnection: close\r\n\r\n`)
    expect(served).toEqual([`${method} /1 ${smuggled}`, `${method} /2 ${smuggled}`, 'GET /last '])
  }
})

const brokenChunks: Record<string, string> = {
  'a size that is no number': 'zz\r\n',
  'a size in C notation': '0x5\r\nhello\r\n',
  'a signed size': '-1\r\n',
  'a size with a space before it': ' 5\r\nhello\r\n',
  'a size that no number can hold': '10000000000000005\r\nhello\r\n',
  'a size that ends with a bare LF': '5\nhello\r\n',
  'a size that ends with a bare CR': '5\rhello\r\n',
  'a bare LF in an extension': '5;a\nb\r\nhello\r\n',
  'a bare CR in an extension': '5;a\rb\r\nhello\r\n',
  'more bytes than the size says': '5\r\nhello!\r\n',
  'an end without its empty line': '0\r\nX\r\n\r\n',
}

for (const [name, chunk] of Object.entries(brokenChunks)) {
  test(`a chunk with ${name} ends the request and the connection`, async () => {
    const instance = await answering('')
    const harness = await startRouter(endpointAt(instance.port))
    const client = await rawClient(harness.port)
    client.write(`${head('POST / HTTP/1.1', host, 'Transfer-Encoding: chunked')}5\r\nhello\r\n`)
    await until(() => (instance.heard[0] ?? '').includes('hello'), 'the instance has the first chunk')
    client.write(`${chunk}0\r\n\r\n${second}`)
    await client.closed
    await until(() => harness.leases() === 0 && harness.releases() === 1, 'the lease is released')
    expect(instance.heard.join('')).not.toMatch(/\/second|0\r\n\r\n$/)
  })
}

test('trailers of a request are not headers of it, nor of the next one', async () => {
  const instance = await rawInstance((socket, sofar) => {
    if (/(GET .*\r\n\r\n|0\r\n\r\n)$/s.test(sofar)) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  })
  const { port } = await startRouter(endpointAt(instance.port))
  const trailed = '5\r\nhello\r\n0\r\nX-Forwarded-Host: bob\r\nX-Real-IP: 6.6.6.6\r\n\r\n'
  const last = head('GET /last HTTP/1.1', host, 'Connection: close')
  await ask(port, `${head('POST / HTTP/1.1', host, 'Transfer-Encoding: chunked')}${trailed}${last}`)
  const heard = instance.heard.join('')
  expect(heard).toContain('GET /last HTTP/1.1\r\n')
  expect(heard).not.toMatch(/6\.6\.6\.6|bob/)
})

test('an answer nobody asked for is given to no other client', async () => {
  const good = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood'
  const planted = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'
  const plant: Record<string, (socket: Socket, done: () => void) => void> = {
    'in one piece with the asked one': (socket, done) => void socket.write(good + planted, done),
    'right behind it': (socket, done) => void socket.write(good, () => socket.write(planted, done)),
    'when the connection is idle': (socket, done) => {
      socket.write(good)
      setTimeout(() => socket.write(planted, done), 50)
    },
  }
  for (const [when, answerBoth] of Object.entries(plant)) {
    let isPlanted = false
    const instance = await rawInstance((socket, sofar, connection) => {
      if (!sofar.endsWith('\r\n\r\n')) return
      if (connection === 0)
        answerBoth(socket, () => {
          isPlanted = true
        })
      else socket.write(good)
    })
    const { port, leases } = await startRouter(endpointAt(instance.port))
    for (let client = 0; client < 5; client += 1) {
      const answer = await ask(port, head('GET / HTTP/1.1', host, 'Connection: close'))
      expect(answer, when).toMatch(/^HTTP\/1\.1 200 OK\r\n(.+\r\n)+\r\ngood$/)
      await until(() => leases() === 0, 'the lease is released')
      if (client === 0) await until(() => isPlanted, 'the second answer is sent')
    }
  }
})

test('pipelined requests are answered in order, one at a time', async () => {
  let atOnce = 0
  let most = 0
  const { port: instance } = await httpInstance((req, res) => {
    most = Math.max(most, ++atOnce)
    setImmediate(() => {
      atOnce--
      res.end(req.url)
    })
  })
  const { port } = await startRouter(endpointAt(instance))
  const requests = ['/1', '/2', '/3', '/4'].map((path) => head(`GET ${path} HTTP/1.1`, host)).join('')
  const answer = await ask(port, requests + head('GET /5 HTTP/1.1', host, 'Connection: close'))
  expect(answer.match(/^\/\d/gm)).toEqual(['/1', '/2', '/3', '/4', '/5'])
  expect(most).toBe(1)
})

test('what cannot be read behind a good request does not spoil its answer', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood')
  const { port } = await startRouter(endpointAt(instance.port))
  const answer = await ask(port, `${head('GET / HTTP/1.1', host)}nonsense here\r\n\r\n${second}`)
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n(.+\r\n)+\r\ngoodHTTP\/1\.1 400 /)
  expect(instance.heard.join('')).not.toContain('/second')
})

test('nothing behind the last request of a connection is served', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood')
  for (const last of [head('GET / HTTP/1.1', host, 'Connection: close'), head('GET / HTTP/1.0', host)]) {
    const harness = await startRouter(endpointAt(instance.port))
    const answer = await ask(harness.port, last + second)
    expect(answer).toMatch(/good$/)
    expect(harness.wakes).toHaveLength(1)
  }
  expect(instance.heard.join('')).not.toContain('/second')
})

test('an upgrade that is not forwarded hides no head from its checks', async () => {
  const upgrade = ['Connection: upgrade', 'Upgrade: h2c']
  const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  for (const line of ['Transfer-Encoding:', 'Transfer-Encoding: gzip, chunked', 'Host: bob.notes.example.com']) {
    const harness = await startRouter(endpointAt(instance.port))
    const answer = await ask(harness.port, head('GET / HTTP/1.1', host, ...upgrade, line) + second)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
  }
  expect(instance.sockets).toHaveLength(0)
})

test('a client that sends no end of requests ahead is cut off', async () => {
  const instance = await answering('')
  const harness = await startRouter(endpointAt(instance.port))
  const client = await rawClient(harness.port)
  client.write(head('GET / HTTP/1.1', host).repeat(100))
  await client.closed
  await until(() => harness.leases() === 0, 'the lease is released')
  expect(harness.wakes.length).toBeLessThanOrEqual(1)
})

test('a client that sends header lines without end ahead is cut off, and one that sends many requests of the usual size is not', async () => {
  const harness = await startRouter(undefined, { wake: () => new Promise(() => {}) })
  const lines = (count: number): string => head('GET / HTTP/1.1', host, ...Array.from({ length: count }, () => 'ab: c'))
  const usual = await rawClient(harness.port)
  usual.write(lines(50).repeat(60))
  const first = await rawClient(harness.port)
  first.write(lines(4_000))
  const client = await rawClient(harness.port)
  client.write(lines(3_000).repeat(3))
  await client.closed
  for (const { socket } of [usual, first]) expect(socket.closed).toBe(false)
})

test('L4 head too large: a head that is too large is a 431', async () => {
  const { port } = await startRouter(undefined)
  const answer = await ask(port, head('GET / HTTP/1.1', host, `X: ${'x'.repeat(40_000)}`))
  expect(answer).toMatch(/^HTTP\/1\.1 431 /)
  expect(answer).toContain('x-tenement-reason: head_too_large\r\n')
})

test('no header is dropped for coming late', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const { port } = await startRouter(endpointAt(instance.port))
  const many = Array.from({ length: 3_000 }, () => 'a: b')
  await ask(port, head('GET / HTTP/1.1', host, 'Connection: close', ...many, 'last: one'))
  expect(instance.heard[0]).toContain('last: one\r\n')
  const answer = await ask(port, head('GET / HTTP/1.1', host, ...many, 'Host: bob.notes.example.com'))
  expect(answer).toContain('x-tenement-reason: bad_host')
})

test('an expectation other than 100-continue is a 417', async () => {
  const { port, wakes } = await startRouter(undefined)
  const unmet = head('POST / HTTP/1.1', host, 'Expect: miracles', 'Content-Length: 3')
  const answer = await ask(port, `${unmet}abc${second}`)
  expect(wakes).toHaveLength(0)
  expect(answer).toMatch(/^HTTP\/1\.1 417 /)
  expect(answer).toContain('x-tenement-reason: bad_expectation\r\n')
})

test('what a client says about who is asking does not reach the instance', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const { port } = await startRouter(endpointAt(instance.port))
  const lies = [
    'X-Forwarded-For: 6.6.6.6',
    'x_forwarded_for: 6.6.6.6',
    'X-Forwarded_For: 6.6.6.6',
    'X-Forwarded-Proto: https',
    'X-Forwarded-User: root',
    'Forwarded: for=6.6.6.6',
    'X-Real-IP: 6.6.6.6',
    'Proxy: http://6.6.6.6',
    'X-Request-Id: 6.6.6.6',
    'X-Tenement-Instance: 6.6.6.6',
    'True-Client-IP: 6.6.6.6',
  ]
  await ask(
    port,
    head(
      'GET / HTTP/1.1',
      host,
      'Connection: close, X-Secret',
      'X-Secret: 6.6.6.6',
      'Keep-Alive: 6.6.6.6',
      'TE: trailers',
      ...lies,
    ),
  )
  expect(instance.heard[0]).not.toMatch(/6\.6\.6\.6|https|root|keep-alive: |^te:/im)
  expect(instance.heard[0]).toContain('X-Forwarded-For: 127.0.0.1\r\n')
  expect(instance.heard[0]).toContain(`Forwarded: for=127.0.0.1;host="${hostOf}";proto=http\r\n`)
})

test('what a trusted proxy says is passed on, with its own address added', async () => {
  const instance = await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const { port } = await startRouter(endpointAt(instance.port), { trustedProxies: ['127.0.0.0/8'] })
  await ask(
    port,
    head(
      'GET / HTTP/1.1',
      host,
      'Connection: close',
      'X-Forwarded-For: 203.0.113.9',
      'X-Forwarded-Proto: https',
      'X-Request-Id: abc-1',
      'Forwarded: for=6.6.6.6',
    ),
  )
  expect(instance.heard[0]).toContain('X-Forwarded-For: 203.0.113.9, 127.0.0.1\r\n')
  expect(instance.heard[0]).toContain('X-Forwarded-Proto: https\r\n')
  expect(instance.heard[0]).toContain('X-Request-Id: abc-1\r\n')
  expect(instance.heard[0]).toContain(`Forwarded: for=203.0.113.9;host="${hostOf}";proto=https, for=127.0.0.1\r\n`)
})
