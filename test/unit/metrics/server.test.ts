import { once } from 'node:events'
import type { Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { createMetricsServer } from '../../../src/metrics/server.ts'

let server: Server | undefined
afterEach(() => {
  server?.close()
  server?.closeAllConnections()
})

const start = async (text: () => Promise<string>, errors: unknown[] = []): Promise<number> => {
  server = createMetricsServer({ host: '127.0.0.1', text, onError: (error) => void errors.push(error) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const send = (port: number, head: string): Promise<string> => {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.write(head)
  return readText(socket)
}

const get = (port: number, { method = 'GET', path = '/metrics', host = `127.0.0.1:${port}` } = {}): Promise<string> =>
  send(port, `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)

describe('the address of metrics', () => {
  it('tells them in the format of Prometheus, on a connection for each question', async () => {
    const port = await start(async () => 'a 1\n')
    const answer = await get(port)
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer).toMatch(/^content-type: text\/plain; version=0\.0\.4; charset=utf-8\r$/m)
    expect(answer).toMatch(/^connection: close\r$/im)
    expect(answer.endsWith('\r\n\r\na 1\n')).toBe(true)
  })

  it.each(['localhost', 'LOCALHOST', '[::1]', '127.0.0.1'])('answers to the name %s', async (name) => {
    const port = await start(async () => 'a 1\n')
    expect(await get(port, { host: `${name}:${port}` })).toMatch(/^HTTP\/1\.1 200 /)
  })

  it.each(['evil.example', 'localhost', 'localhost:1', '127.0.0.1.evil.example', ''])(
    'tells nothing to a request for the host %j, as a page whose name was made to lead here would send it',
    async (host) => {
      let isMade = false
      const port = await start(async () => {
        isMade = true
        return 'secret 1\n'
      })
      const answer = await get(port, {
        host: host.includes(':') || host === '' ? host : host.replace('evil.example', `evil.example:${port}`),
      })
      expect(answer).toMatch(/^HTTP\/1\.1 403 /)
      expect(answer).not.toContain('secret')
      expect(isMade).toBe(false)
    },
  )

  it('refuses two hosts', async () => {
    const port = await start(async () => 'a 1\n')
    const head = `GET /metrics HTTP/1.1\r\nHost: localhost:${port}\r\nHost: evil.example\r\n\r\n`
    expect(await send(port, head)).toMatch(/^HTTP\/1\.1 403 /)
  })

  it('has nothing else, and answers no other method', async () => {
    const port = await start(async () => 'a 1\n')
    for (const path of ['/', '/v1/instances', '/metrics/', '//metrics'])
      expect(await get(port, { path })).toMatch(/^HTTP\/1\.1 404 /)
    const answer = await get(port, { method: 'POST' })
    expect(answer).toMatch(/^HTTP\/1\.1 405 /)
    expect(answer).toMatch(/^allow: GET, HEAD\r$/m)
  })

  it('answers HEAD with the head of GET alone', async () => {
    const port = await start(async () => 'a 1\n')
    const answer = await get(port, { method: 'HEAD' })
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer).toMatch(/^content-length: 4\r$/im)
    expect(answer).toMatch(/\r\n\r\n$/)
  })

  it('makes the text once for many who ask together', async () => {
    let made = 0
    const port = await start(async () => `made ${++made}\n`)
    const answers = await Promise.all(Array.from({ length: 10 }, () => get(port)))
    for (const answer of answers) expect(answer).toContain('\r\n\r\nmade 1\n')
  })

  it('says that it cannot tell, without saying why to whoever asked', async () => {
    const errors: unknown[] = []
    const port = await start(async () => {
      throw new Error('secret of the heap')
    }, errors)
    const answer = await get(port)
    expect(answer).toMatch(/^HTTP\/1\.1 500 /)
    expect(answer).not.toContain('secret')
    expect(errors).toEqual([expect.objectContaining({ message: 'secret of the heap' })])
  })

  it('takes no more connections than a few', async () => {
    const port = await start(async () => 'a 1\n')
    const sockets = Array.from({ length: 20 }, () => connect({ port, host: '127.0.0.1' }))
    const over = await Promise.all(
      sockets.slice(16).map((socket) =>
        once(
          socket.on('error', () => undefined),
          'close',
        ),
      ),
    )
    expect(over).toHaveLength(4)
    for (const socket of sockets) socket.destroy()
  })
})
