import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, get } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { listenAll, listenUnix, removeSocket } from '../../../src/launcher/listeners.ts'

const opened: number[] = []
afterEach(() => {
  for (const fd of opened.splice(0)) closeSync(fd)
})

const serveOn = async (fd: number): Promise<{ port: number; close: () => void }> => {
  opened.splice(opened.indexOf(fd), 1) // the server owns it from here
  const server = createHttpServer((_, res) => res.end('here'))
  server.listen({ fd })
  await once(server, 'listening')
  const address = server.address()
  return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, close: () => server.close() }
}

const answerFrom = async (host: string, port: number): Promise<string> => {
  const [res] = await once(get({ host, port, agent: false }), 'response')
  let body = ''
  for await (const chunk of res) body += chunk
  return body
}

const warnNobody = (message: string): never => {
  throw new Error(`unexpected: ${message}`)
}

describe('a listening socket', () => {
  test('on every address takes IPv4 and IPv6', async () => {
    const [fd = -1] = listenAll([{ host: '::', port: 0 }], 'settings.listen', warnNobody)
    opened.push(fd)
    const { port, close } = await serveOn(fd)
    expect(await answerFrom('127.0.0.1', port)).toBe('here')
    expect(await answerFrom('::1', port)).toBe('here')
    close()
  })

  test.each(['::1', '0:0:0:0:0:0:0:1', '0::1'])('takes the address %s in any spelling', async (host) => {
    const [fd = -1] = listenAll([{ host, port: 0 }], 'settings.listen', warnNobody)
    opened.push(fd)
    const { port, close } = await serveOn(fd)
    expect(await answerFrom('::1', port)).toBe('here')
    await expect(answerFrom('127.0.0.1', port)).rejects.toThrow(/ECONNREFUSED/)
    close()
  })

  test('on an address that is taken is an error that names it, and leaves none of the others open', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const taken = typeof address === 'object' ? (address?.port ?? 0) : 0
    const free = createServer().listen(0, '127.0.0.2')
    await once(free, 'listening')
    const freeAddress = free.address()
    const port = typeof freeAddress === 'object' ? (freeAddress?.port ?? 0) : 0
    free.close()
    await once(free, 'close')
    expect(() =>
      listenAll(
        [
          { host: '127.0.0.2', port },
          { host: '127.0.0.1', port: taken },
        ],
        'settings.listen',
        warnNobody,
      ),
    ).toThrow(`cannot listen on 127.0.0.1:${taken}: another program listens there; stop it, or change settings.listen`)
    expect(() => listenAll([{ host: '127.0.0.1', port: taken }], 'settings.metrics', warnNobody)).toThrow(
      /or change settings\.metrics$/,
    )
    await expect(answerFrom('127.0.0.2', port)).rejects.toThrow(/ECONNREFUSED/)
    other.close()
  })

  test('on an address of another machine is an error', () => {
    expect(() => listenAll([{ host: '192.0.2.1', port: 0 }], 'settings.listen', warnNobody)).toThrow(/no such address/)
  })
})

describe('a unix socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenement-sockets-'))
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('replaces one that was left behind, has the mode asked for and holds connections while nobody accepts', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'tenement-sockets-')), 'a.sock')
    opened.push(listenUnix(path, owner, 0o600), listenUnix(path, owner, 0o600))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const client = connect(path)
    await once(client, 'connect')
    client.destroy()
    removeSocket(path)
    expect(existsSync(path)).toBe(false)
  })

  test('does not replace what is no socket', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'tenement-sockets-')), 'file')
    writeFileSync(path, 'kept')
    expect(() => listenUnix(path, owner, 0o600)).toThrow(/EADDRINUSE/)
    removeSocket(path)
    expect(existsSync(path)).toBe(true)
    const link = join(path, '..', 'link')
    symlinkSync(path, link)
    removeSocket(link)
    expect(existsSync(link)).toBe(true)
  })

  test('with a path longer than the kernel takes is an error that says so', () => {
    expect(() => listenUnix(`/tmp/${'x'.repeat(110)}`, owner, 0o600)).toThrow(/115 bytes long, the kernel allows 107/)
  })
})
