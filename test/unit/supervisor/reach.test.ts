import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createListenersOn } from '../../../src/launcher/tcpListeners.ts'
import { connectTo as connectWith } from '../../../src/supervisor/reach.ts'
import { testAsRoot } from '../../helpers/root.ts'

const listenersOn = createListenersOn()
const connectTo = (...[reach, identity]: [Parameters<typeof connectWith>[0], Parameters<typeof connectWith>[1]]) =>
  connectWith(reach, identity, { listenersOn, openInside })
const openInside = () => Promise.reject(new Error('it has no network of its own'))
const servers: Server[] = []
const listen = async (on: string | number, greeting: string): Promise<Server> => {
  const server = createServer((socket) => socket.on('error', () => undefined).end(greeting)) // the client may leave first
  servers.push(server)
  server.listen(typeof on === 'string' ? { path: on } : { port: on, host: '127.0.0.1' })
  await once(server, 'listening')
  return server
}
const textOf = async (socket: Socket): Promise<string> => {
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}
const portOf = (server: Server): number => {
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenement-reach-'))
})
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('a socket that the instance makes itself', () => {
  const reach = () => ({ kind: 'unix', socket: join(folder, 'app.sock') }) as const

  test("is connected to when it is the instance's own", async () => {
    await listen(reach().socket, 'own')
    expect(await textOf(await connectTo(reach(), undefined)())).toBe('own')
  })

  test('is not followed as a symlink to the socket of somebody else', async () => {
    await listen(join(folder, 'victim.sock'), 'victim')
    symlinkSync(join(folder, 'victim.sock'), reach().socket)
    await expect(connectTo(reach(), undefined)()).rejects.toThrow(/is not a socket/)
  })

  test('is refused when it was swapped after the first connection', async () => {
    await listen(reach().socket, 'own')
    await listen(join(folder, 'victim.sock'), 'victim')
    const connect = connectTo(reach(), undefined)
    expect(await textOf(await connect())).toBe('own')
    renameSync(reach().socket, join(folder, 'moved'))
    symlinkSync('victim.sock', reach().socket)
    await expect(connect()).rejects.toThrow(/is not a socket/)
  })

  test('is refused as a regular file or where nothing is', async () => {
    await expect(connectTo(reach(), undefined)()).rejects.toThrow(/ENOENT/)
    writeFileSync(reach().socket, '')
    await expect(connectTo(reach(), undefined)()).rejects.toThrow(/is not a socket/)
  })

  testAsRoot('is refused when it belongs to another uid', async () => {
    await listen(reach().socket, 'other')
    chownSync(reach().socket, 12_345, 12_345)
    await expect(connectTo(reach(), { uid: 12_346, gid: 12_346 })()).rejects.toThrow(
      /belongs to uid 12345, not to the instance's uid 12346/,
    )
  })
})

test('a port in a network of the own is connected to inside it, whoever listens there', async () => {
  const port = portOf(await listen(0, 'inside'))
  const inside = () => Promise.resolve(connect(port, '127.0.0.1'))
  const reach = { kind: 'port', port: 1, network: 'own' } as const
  const asked: number[] = []
  const listenersOn = (each: number) => [asked.push(each)]
  const open = connectWith(reach, { uid: 12_345, gid: 12_345 }, { listenersOn, openInside: inside })
  expect(await textOf(await open())).toBe('inside')
  expect(asked).toEqual([])
})

describe('a port', () => {
  test('is connected to, and told by the uid of who listens', async () => {
    const port = portOf(await listen(0, 'own'))
    expect(listenersOn(port)).toEqual([process.getuid?.() ?? 0])
    expect(listenersOn(1)).toEqual([])
    expect(await textOf(await connectTo({ kind: 'port', port, network: 'host' }, undefined)())).toBe('own')
  })

  testAsRoot('that another tenant took first gets not a byte', async () => {
    const script = join(folder, 'squat.mjs')
    writeFileSync(
      script,
      `import { createServer } from 'node:net'; process.setgid(12345); process.setuid(12345); const s = createServer((c) => { c.on('data', (d) => console.log('got ' + d)) }).listen(0, '127.0.0.1', () => console.log(s.address().port))`,
    )
    chmodSync(folder, 0o755)
    chmodSync(script, 0o644)
    const squatter = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const [line] = await once(squatter.stdout, 'data')
      const port = Number(String(line))
      await expect(connectTo({ kind: 'port', port, network: 'host' }, { uid: 12_346, gid: 12_346 })()).rejects.toThrow(
        `port ${port} is held by uid 12345, not by the instance's uid 12346`,
      )
      expect(await textOfFirst(connectTo({ kind: 'port', port, network: 'host' }, { uid: 12_345, gid: 12_345 }))).toBe(
        'connected',
      )
    } finally {
      squatter.kill()
    }
  })

  test('that nobody is known to listen on, or that changed hands, gets not a byte', async () => {
    const port = portOf(await listen(0, 'somebody'))
    const owners = [[], [7], [7], [7], [7], [8], [7], []]
    const connect = connectWith(
      { kind: 'port', port, network: 'host' },
      { uid: 7, gid: 7 },
      { listenersOn: () => owners.shift() ?? [], openInside },
    )
    await expect(connect()).rejects.toThrow(/nobody listens/)
    expect(await textOfFirst(connect)).toBe('connected')
    expect(await textOfFirst(connect)).toBe('connected')
    await expect(connect()).rejects.toThrow(/held by uid 8/)
    await expect(connect()).rejects.toThrow(/nobody listens/)
  })

  const textOfFirst = async (connect: () => Promise<Socket>): Promise<string> => {
    const socket = await connect()
    socket.destroy()
    return 'connected'
  }
})
