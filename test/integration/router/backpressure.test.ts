// Large bodies towards somebody slow: they wait in the kernel and with the sender, not in tenement.
import { afterEach, expect, test } from 'vitest'
import { cleanUp, endpointAt, hostOf, httpInstance, rawClient, rawInstance, startRouter, until } from './harness.ts'

afterEach(cleanUp)

const size = 128 * 1024 * 1024
const chunk = Buffer.alloc(64 * 1024, 'x')
/** What has passed on into the kernel's buffers leaves garbage behind that is not collected at once. */
const mayGrowBy = 64 * 1024 * 1024

/** Resolves when the number has not changed for a while: everything that can flow has flowed. */
const settles = async (read: () => number): Promise<number> => {
  let last = -1
  let since = Date.now()
  await until(() => {
    if (read() !== last) since = Date.now()
    last = read()
    return last > 0 && Date.now() - since > 300
  }, 'nothing moves any more')
  return last
}

test('a client that reads slowly holds back a response of 128 MB', async () => {
  let sent = 0
  const { port: instance } = await httpInstance((_req, res) => {
    res.writeHead(200, { 'content-length': size })
    const write = (): void => {
      while (sent < size) {
        sent += chunk.length
        if (!res.write(chunk)) return void res.once('drain', write)
      }
      res.end()
    }
    write()
  })
  const harness = await startRouter(endpointAt(instance))
  const client = await rawClient(harness.port)
  client.socket.removeAllListeners('data').pause()
  const before = process.memoryUsage().rss
  client.write(`GET / HTTP/1.1\r\nHost: ${hostOf}\r\nConnection: close\r\n\r\n`)
  expect(await settles(() => sent)).toBeLessThan(size / 2)
  expect(process.memoryUsage().rss - before).toBeLessThan(mayGrowBy)
  let received = 0
  client.socket.on('data', (data) => {
    received += data.length
  })
  client.socket.resume()
  expect(await client.closed).toBe('end')
  expect(received).toBeGreaterThan(size)
})

test('an instance that reads slowly holds back an upload of 128 MB', async () => {
  const instance = await rawInstance((socket, sofar) => {
    if (sofar.includes('\r\n\r\n')) socket.removeAllListeners('data').pause()
  })
  const harness = await startRouter(endpointAt(instance.port))
  const client = await rawClient(harness.port)
  const before = process.memoryUsage().rss
  client.write(`POST / HTTP/1.1\r\nHost: ${hostOf}\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`)
  let sent = 0
  const write = (): void => {
    while (sent < size) {
      sent += chunk.length
      if (!client.socket.write(chunk)) return void client.socket.once('drain', write)
    }
  }
  write()
  expect(await settles(() => sent)).toBeLessThan(size / 2)
  expect(process.memoryUsage().rss - before).toBeLessThan(mayGrowBy)
  let received = 0
  const [socket] = instance.sockets
  socket?.on('data', (data) => {
    received += data.length
    if (received > size - 2 * chunk.length)
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
  })
  socket?.resume()
  await client.receives('HTTP/1.1 200 OK')
  expect(sent).toBe(size)
})

test('a request held while its instance wakes leaves its body with the client', async () => {
  const harness = await startRouter(undefined, { wake: () => new Promise(() => {}) })
  const client = await rawClient(harness.port)
  client.write(`POST / HTTP/1.1\r\nHost: ${hostOf}\r\nContent-Length: ${size}\r\n\r\n`)
  let sent = 0
  const write = (): void => {
    while (sent < size) {
      sent += chunk.length
      if (!client.socket.write(chunk)) return void client.socket.once('drain', write)
    }
  }
  write()
  expect(await settles(() => sent)).toBeLessThan(size / 2)
})
