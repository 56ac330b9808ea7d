// Real servers under "strict" and "default", each answering requests that make it use what servers of its kind use. What is
// not installed is skipped with the package it needs; TENEMENT_TEST_ALL=1 makes that a failure.
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { waitUntil } from '../../helpers/waitUntil.ts'
import { cannotConfine, openRoom, type Room } from './confined.ts'
import { missing, type Server, servers } from './servers.ts'

let room: Room
let running: ChildProcess[]

beforeEach(async () => {
  room = await openRoom()
  running = []
})
afterEach(async () => {
  for (const child of running) await end(child)
  await room.remove()
})

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  // --die-with-parent passes it on to everything inside.
  child.kill('SIGKILL')
  await once(child, 'exit')
}

const skipReason = (server: Pick<Server, 'needs'>): string | undefined => {
  const reason = cannotConfine() ?? missing(server)
  if (reason !== undefined && process.env.TENEMENT_TEST_ALL === '1') throw new Error(reason)
  return reason
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
    socket.unref()
  })

/** Starts a program and resolves once it accepts connections; rejects with what it said when it ends before. */
const startServer = async (profile: string, argv: readonly string[], port: number): Promise<ChildProcess> => {
  const child = await room.start(profile, argv, { PORT: String(port) })
  running.push(child)
  if (child.stdout === null || child.stderr === null) throw new Error('bwrap has no output')
  const said = Promise.all([text(child.stdout), text(child.stderr)])
  await waitUntil(async () => child.exitCode !== null || (await accepts(port)), 30_000)
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${(await said).join('\n')}`)
  return child
}

const read = (path: string): string => readFileSync(path, 'latin1')

/** The seccomp mode of the program inside: the child of the first process of bubblewrap's namespace. */
const seccompMode = (child: ChildProcess): string | undefined => {
  const childOf = (pid: string): string => read(`/proc/${pid}/task/${pid}/children`).split(' ')[0] ?? ''
  return /^Seccomp:\t(\d)$/m.exec(read(`/proc/${childOf(childOf(String(child.pid)))}/status`))?.[1]
}

const filtering = '2'

const readdirOrEmpty = (path: string): readonly string[] => (existsSync(path) ? readdirSync(path) : [])

describe.each(['strict', 'default'])('under %s', (profile) => {
  test.for(servers.map((server) => [server.name, server] as const))(
    '%s answers requests',
    { timeout: 120_000 },
    async ([, server], { skip }) => {
      const reason = skipReason(server)
      skip(reason !== undefined, reason)
      const port = await freePort()
      server.prepare?.(room.data, port)
      const child = await startServer(profile, server.argv(port), port)
      expect(seccompMode(child)).toBe(filtering)
      const responses = await Promise.all(Array.from({ length: 8 }, () => fetch(`http://127.0.0.1:${port}/`)))
      const bodies = await Promise.all(responses.map((response) => response.text()))
      expect(bodies).toEqual(bodies.map(() => server.answer))
    },
  )

  test('Redis stores, returns and saves', async ({ skip }) => {
    const reason = skipReason({ needs: { '/usr/bin/redis-server': 'redis-server' } })
    skip(reason !== undefined, reason)
    const port = await freePort()
    const argv = [
      '/usr/bin/redis-server',
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      '/mnt',
      '--appendonly',
      'yes',
    ]
    const child = await startServer(profile, argv, port)
    expect(seccompMode(child)).toBe(filtering)
    const socket = createConnection(port, '127.0.0.1')
    let received = ''
    socket.on('data', (bytes) => {
      received += bytes
    })
    socket.write('SET key value\r\nGET key\r\nEVAL "return 6*7" 0\r\nBGSAVE\r\n')
    await waitUntil(() => received.includes('Background saving started'))
    expect(received).toBe('+OK\r\n$5\r\nvalue\r\n:42\r\n+Background saving started\r\n')
    received = ''
    await waitUntil(() => {
      const isSaved = received.includes('rdb_bgsave_in_progress:0') && received.includes('rdb_last_bgsave_status:ok')
      received = ''
      socket.write('INFO persistence\r\n')
      return isSaved
    })
    socket.destroy()
  }, 60_000)
})

test('PostgreSQL says under strict that it lacks shared memory, and under default keeps what it is given', async ({
  skip,
}) => {
  const bin = `/usr/lib/postgresql/${readdirOrEmpty('/usr/lib/postgresql').at(-1) ?? '15'}/bin`
  const reason = skipReason({ needs: { [`${bin}/postgres`]: 'postgresql' } })
  skip(reason !== undefined, reason)
  const initdb = [`${bin}/initdb`, '-D', '/mnt/cluster', '-U', 'tenant', '-A', 'trust', '-N', '--locale=C.UTF-8']
  const cluster = await room.start('default', initdb)
  running.push(cluster)
  if (cluster.exitCode === null) await once(cluster, 'exit')
  expect(cluster.exitCode).toBe(0)

  const port = await freePort()
  const argv = [`${bin}/postgres`, '-D', '/mnt/cluster', '-p', `${port}`, '-h', '127.0.0.1', '-k', '/mnt']
  const lacking = 'could not create shared memory segment: Function not implemented'
  await expect(startServer('strict', argv, port)).rejects.toThrow(lacking)

  const child = await startServer('default', argv, port)
  expect(seccompMode(child)).toBe(filtering)
  const server = ['-h', '127.0.0.1', '-p', `${port}`]
  // It accepts connections before it accepts queries.
  await waitUntil(async () => (await execa(`${bin}/pg_isready`, server, { reject: false })).exitCode === 0)
  const sql = 'create table t as select generate_series(1, 1000) as n; select sum(n) from t'
  const { stdout } = await execa(`${bin}/psql`, [...server, '-U', 'tenant', '-Atqc', sql, 'postgres'])
  expect(stdout).toBe('500500')
}, 60_000)
