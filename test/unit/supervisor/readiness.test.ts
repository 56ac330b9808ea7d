// Readiness against real sockets and real time; what is looked at is what the service sees of it.

import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../../src/supervisor/clock.ts'
import { becomesReady, type ReadyProcess } from '../../../src/supervisor/readiness.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'
import { FakeClock } from './fakeClock.ts'

/** Connections a service has seen: how many ever, and how many are open now. */
const counted = (server: Server) => {
  const seen = { ever: 0, open: 0 }
  server.on('connection', (socket) => {
    seen.ever += 1
    seen.open += 1
    socket.on('error', () => undefined)
    socket.on('close', () => {
      seen.open -= 1
    })
  })
  onTestFinished(() => void server.close())
  return seen
}

const listening = (server: Server, where: number | string): Promise<void> =>
  new Promise((resolve) =>
    server.listen(typeof where === 'string' ? where : { port: where, host: '127.0.0.1' }, resolve),
  )

const portOf = (server: Server): number => (server.address() as AddressInfo).port

/** A port nobody listens on: it was given back just now. */
const freePort = async (): Promise<number> => {
  const server = createServer()
  await listening(server, 0)
  const port = portOf(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

const reached = (where: () => number | string): ReadyProcess & { attempts: number } => ({
  attempts: 0,
  connect() {
    this.attempts += 1
    return new Promise<Socket>((resolve, reject) => {
      const place = where()
      const socket = typeof place === 'string' ? connect(place) : connect(place, '127.0.0.1')
      socket.once('connect', () => resolve(socket))
      socket.once('error', reject)
    })
  },
  watchOutput: () => () => undefined,
})

const never = new AbortController().signal

const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'tenement-ready-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('a service is ready when it accepts a connection, and the probe is closed', async () => {
  const port = await freePort()
  const process = reached(() => port)
  const ready = becomesReady(systemClock, process, { kind: 'tcp' }, never)
  await waitUntil(() => process.attempts > 3)
  const server = createServer()
  const seen = counted(server)
  await listening(server, port)
  await ready
  await waitUntil(() => seen.ever === 1 && seen.open === 0)
})

test('a unix socket is ready when it accepts, not when its file is there', async () => {
  const path = join(folder(), 'app.sock')
  const server = createServer()
  const seen = counted(server)
  const process = reached(() => path)
  let isReady = false
  const ready = becomesReady(systemClock, process, { kind: 'tcp' }, never).then(() => {
    isReady = true
  })
  await waitUntil(() => process.attempts > 3)
  expect(isReady).toBe(false)
  await listening(server, path)
  await ready
  await waitUntil(() => seen.ever === 1 && seen.open === 0)
})

test('a start that is over is not asked any more', async () => {
  const port = await freePort()
  const process = reached(() => port)
  const clock = new FakeClock()
  const over = new AbortController()
  const ready = becomesReady(clock, process, { kind: 'tcp' }, over.signal)
  await waitUntil(async () => {
    await clock.advance(50)
    return process.attempts > 3
  })
  over.abort()
  await expect(ready).rejects.toMatchObject({ name: 'AbortError' })
  const { attempts } = process
  expect(clock.pending).toBe(0)
  await clock.advance(10_000)
  expect(process.attempts).toBe(attempts)
})

test('a start that is over while it is being asked is not waited for any more', async () => {
  let attempts = 0
  // Refused until it is asked with pauses, and then never answered.
  const connecting = new Promise<Socket>(() => undefined)
  const process: ReadyProcess = {
    connect() {
      attempts += 1
      return attempts < 8 ? Promise.reject(new Error('refused')) : connecting
    },
    watchOutput: () => () => undefined,
  }
  const clock = new FakeClock()
  const over = new AbortController()
  const ready = becomesReady(clock, process, { kind: 'tcp' }, over.signal)
  await clock.advance(50)
  expect(attempts).toBe(8)
  over.abort()
  await expect(ready).rejects.toMatchObject({ name: 'AbortError' })
  expect(clock.pending).toBe(0)
})

test('a connection that is made only after the start was over is closed', async () => {
  const server = createServer()
  const seen = counted(server)
  await listening(server, 0)
  let hand: (socket: Socket) => void = () => undefined
  const process: ReadyProcess = {
    connect: () => new Promise((resolve) => (hand = resolve)),
    watchOutput: () => () => undefined,
  }
  const over = new AbortController()
  const ready = becomesReady(systemClock, process, { kind: 'tcp' }, over.signal)
  const socket = connect(portOf(server), '127.0.0.1')
  await waitUntil(() => seen.open === 1)
  over.abort()
  await expect(ready).rejects.toMatchObject({ name: 'AbortError' })
  hand(socket)
  await waitUntil(() => seen.open === 0)
})

test('a service with a health path is ready when that answers with 2xx or 3xx, and not before', async () => {
  const answers = [500, 404, 302]
  const asked: (string | undefined)[] = []
  const server = createHttpServer((request, response) => {
    asked.push(request.url)
    response.writeHead(answers[asked.length - 1] ?? 200, { location: '/elsewhere' }).end('body')
  })
  const seen = counted(server)
  await listening(server, 0)
  await becomesReady(
    systemClock,
    reached(() => portOf(server)),
    { kind: 'http', path: '/health?deep=1' },
    never,
  )
  expect(asked).toEqual(['/health?deep=1', '/health?deep=1', '/health?deep=1'])
  await waitUntil(() => seen.open === 0)
})

test('a health answer whose body never ends counts by its head, and is cut off', async () => {
  const server = createHttpServer((_, response) => void response.writeHead(200).write('and on'))
  const seen = counted(server)
  await listening(server, 0)
  await becomesReady(
    systemClock,
    reached(() => portOf(server)),
    { kind: 'http', path: '/' },
    never,
  )
  await waitUntil(() => seen.open === 0)
})

test('a health answer that is no HTTP, or a connection that is reset, is asked again', async () => {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.resume()
    if (connections === 1) socket.end('SSH-2.0-hello\r\n')
    else if (connections === 2) socket.resetAndDestroy()
    else socket.end('HTTP/1.1 204 No Content\r\n\r\n')
  })
  const seen = counted(server)
  await listening(server, 0)
  await becomesReady(
    systemClock,
    reached(() => portOf(server)),
    { kind: 'http', path: '/' },
    never,
  )
  expect(connections).toBe(3)
  await waitUntil(() => seen.open === 0)
})

test('a health request under way is cut off when the start is over', async () => {
  const server = createHttpServer(() => undefined)
  const seen = counted(server)
  await listening(server, 0)
  const over = new AbortController()
  const ready = becomesReady(
    systemClock,
    reached(() => portOf(server)),
    { kind: 'http', path: '/' },
    over.signal,
  )
  await waitUntil(() => seen.open === 1)
  over.abort()
  await expect(ready).rejects.toMatchObject({ name: 'AbortError' })
  await waitUntil(() => seen.open === 0)
})

test('an inherited socket is ready when the service begins to accept, and one probe is all it finds', async () => {
  const path = join(folder(), 'inherited.sock')
  const server = createServer()
  const seen = counted(server)
  await listening(server, path)
  let asked = 0
  const process: ReadyProcess = {
    ...reached(() => path),
    isAccepting: async () => {
      asked += 1
      return asked > 5
    },
  }
  await becomesReady(systemClock, process, { kind: 'tcp' }, never)
  expect(asked).toBe(6)
  await waitUntil(() => seen.ever === 1 && seen.open === 0)
})

test('a start on an inherited socket that is over leaves no probe behind', async () => {
  const path = join(folder(), 'inherited.sock')
  const server = createServer()
  const seen = counted(server)
  await listening(server, path)
  const over = new AbortController()
  const process: ReadyProcess = { ...reached(() => path), isAccepting: async () => false }
  const ready = becomesReady(systemClock, process, { kind: 'tcp' }, over.signal)
  await waitUntil(() => seen.open === 1)
  over.abort()
  await expect(ready).rejects.toMatchObject({ name: 'AbortError' })
  await waitUntil(() => seen.open === 0)
})

const writing = () => {
  const watchers = new Set<(line: string) => void>()
  const process: ReadyProcess = {
    connect: () => Promise.reject(new Error('not asked')),
    watchOutput(onLine) {
      watchers.add(onLine)
      return () => watchers.delete(onLine)
    },
  }
  return {
    process,
    watchers,
    write: (line: string) => {
      for (const watcher of watchers) watcher(line)
    },
  }
}

test('a service can say in a line that it is ready, and is not listened to after that', async () => {
  const { process, watchers, write } = writing()
  const ready = becomesReady(systemClock, process, { kind: 'log', pattern: 'listening on .*:\\d+$' }, never)
  write('starting')
  expect(watchers.size).toBe(1)
  write('listening on 127.0.0.1:4101')
  await ready
  expect(watchers.size).toBe(0)
})

test('a line that was written before anybody watched counts too', async () => {
  const process: ReadyProcess = {
    connect: () => Promise.reject(new Error('not asked')),
    watchOutput(onLine) {
      onLine('ready')
      return () => undefined
    },
  }
  await becomesReady(systemClock, process, { kind: 'log', pattern: '^ready$' }, never)
})

test('a start that is over is not listened to any more', async () => {
  const { process, watchers } = writing()
  const over = new AbortController()
  const ready = becomesReady(systemClock, process, { kind: 'log', pattern: 'ready' }, over.signal)
  over.abort()
  await expect(ready).rejects.toMatchObject({ name: 'AbortError' })
  expect(watchers.size).toBe(0)
})

test('a pattern that backtracks without end on a hostile line fails the start instead of stopping the server', async () => {
  const { process, watchers, write } = writing()
  const ready = becomesReady(systemClock, process, { kind: 'log', pattern: '^(a+)+$' }, never)
  write(`${'a'.repeat(4_000)}!`)
  await expect(ready).rejects.toThrowError('ready = "log:^(a+)+$" took more than 100 ms on one line')
  expect(watchers.size).toBe(0)
})

test('it fails as well where others have most of the processors, after a few tries that each may take longer', async () => {
  // Milliseconds of it, before and after each try: a fifth of 100, of 200 and of 400.
  const given = [0, 20, 20, 60, 60, 140]
  const cpuUsage = vi.spyOn(globalThis.process, 'cpuUsage')
  cpuUsage.mockImplementation(() => ({ user: (given.shift() ?? 1_000) * 1_000, system: 0 }))
  onTestFinished(() => cpuUsage.mockRestore())
  const { process, write } = writing()
  const ready = becomesReady(systemClock, process, { kind: 'log', pattern: '^(a+)+$' }, never)
  write(`${'a'.repeat(4_000)}!`)
  await expect(ready).rejects.toThrowError('took more than 100 ms on one line')
  expect(given).toEqual([])
})

test('what comes after the first 4 KiB of a line is not looked at', async () => {
  const { process, watchers, write } = writing()
  const ready = becomesReady(systemClock, process, { kind: 'log', pattern: 'ready' }, never)
  write(`${'x'.repeat(4_096)}ready`)
  expect(watchers.size).toBe(1)
  write(`${'x'.repeat(4_000)}ready`)
  await ready
})
