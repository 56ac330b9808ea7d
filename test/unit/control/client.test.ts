import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type ControlClient, connectControl } from '../../../src/control/client.ts'
import type { LogLine } from '../../../src/control/wire.ts'
import { TenementError } from '../../../src/errors.ts'
import { carol, instanceStatus, scriptedOperations, serverStatus, startControl } from './scripted.ts'

const dave = { service: 'api', id: 'dave' }
const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

const temporaryDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'tenement-client-'))
  cleanups.push(() => rm(directory, { recursive: true, force: true }))
  return directory
}

const start = async (script: Parameters<typeof startControl>[0] = {}) => {
  const control = await startControl(script)
  cleanups.push(control.close)
  return control
}

/** A server that answers every connection with these bytes, whatever was asked. */
const answering = async (bytes: string): Promise<ControlClient> => {
  const socketPath = join(await temporaryDirectory(), 'control.sock')
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).once('data', () => socket.end(bytes))
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  cleanups.push(() => new Promise((resolve) => server.close(resolve)))
  return connectControl(socketPath)
}

const failure = async (promise: Promise<unknown>): Promise<TenementError> => {
  const thrown: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (thrown instanceof TenementError) return thrown
  throw new Error(`expected a TenementError, got ${String(thrown)}`)
}

const collect = async (lines: AsyncIterable<LogLine>): Promise<readonly string[]> => {
  const texts: string[] = []
  for await (const { text } of lines) texts.push(text)
  return texts
}

describe('the control client', () => {
  it('gets back exactly what the operations returned', async () => {
    const status = instanceStatus(carol, {
      phase: 'backoff',
      lastExit: {
        at: '2026-11-23T18:15:54.123Z',
        code: null,
        signal: 'SIGKILL',
        outOfMemory: true,
        refusedForks: 2,
        outOfStorage: false,
      },
      attestation: { at: '2026-11-23T18:15:50.000Z', found: { 'pid.private': 'pid:[4026532301]' } },
      lastStop: 'out of memory',
    })
    const client = connectControl((await start({ operations: scriptedOperations([status]) })).socketPath)
    expect(await client.list()).toEqual([status])
    expect(await client.status(carol)).toEqual(status)
    expect(await client.server()).toEqual(serverStatus)
  })

  it('gives every order by its own name', async () => {
    const operations = scriptedOperations([instanceStatus(carol)])
    const client = connectControl((await start({ operations })).socketPath)
    expect(await client.add(dave)).toMatchObject({ instance: 'api:dave' })
    expect(await client.wake(carol)).toMatchObject({ phase: 'ready' })
    expect(await client.stop(carol)).toMatchObject({ phase: 'asleep' })
    expect(await client.restart(carol)).toMatchObject({ phase: 'ready' })
    expect(await client.disable(carol)).toMatchObject({ phase: 'disabled' })
    expect(await client.enable(carol)).toMatchObject({ phase: 'asleep' })
    expect(await client.remove(carol, { purge: true })).toEqual({ purged: true, dataDir: '/data/carol' })
    expect(await client.remove(dave, { purge: false })).toEqual({ purged: false, dataDir: '/data/dave' })
    expect(operations.calls).toEqual([
      'add api:dave',
      'wake api:carol',
      'stop api:carol',
      'restart api:carol',
      'disable api:carol',
      'enable api:carol',
      'remove api:carol purge',
      'remove api:dave keep',
    ])
  })

  it('rejects with the error the operation threw, its code and fix included', async () => {
    const client = connectControl((await start()).socketPath)
    const error = await failure(client.status(dave))
    expect(error).toMatchObject({
      code: 'unknown_instance',
      message: 'there is no instance api:dave',
      fix: 'tenement add api:dave',
    })
  })

  it('names the socket that is not there, and what to start', async () => {
    const socketPath = join(await temporaryDirectory(), 'control.sock')
    const error = await failure(connectControl(socketPath).list())
    expect(error).toMatchObject({ code: 'not_running', fix: expect.stringContaining('tenement serve') })
    expect(error.message).toBe(`no tenement server answers: the socket "${socketPath}" is not there`)
  })

  it('tells a socket that nobody listens on from one that is not there', async () => {
    const socketPath = join(await temporaryDirectory(), 'control.sock')
    await writeFile(socketPath, '')
    const error = await failure(connectControl(socketPath).list())
    expect(error.code).toBe('not_running')
    expect(error.message).toContain('nothing listens on it')
  })

  it('says whom to become when the socket may not be opened', async ({ skip }) => {
    skip(process.geteuid?.() === 0, 'root may open every socket')
    const closed = join(await temporaryDirectory(), 'closed')
    await mkdir(closed)
    await chmod(closed, 0)
    const error = await failure(connectControl(join(closed, 'control.sock')).list())
    expect(error).toMatchObject({ code: 'not_running', fix: expect.stringContaining('root') })
  })

  it('says that a server went away in the middle of an answer', async () => {
    const client = await answering('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"instances":[')
    expect(await failure(client.list())).toMatchObject({ code: 'not_running' })
  })

  it('says that a server closed the connection without an answer', async () => {
    expect(await failure((await answering('')).list())).toMatchObject({ code: 'not_running' })
  })

  it.each([
    ['no JSON', 'hello'],
    ['no list', '{}'],
    [
      'a phase this version does not have',
      JSON.stringify({ instances: [{ ...instanceStatus(carol), phase: 'floating' }] }),
    ],
    ['a number for a name', JSON.stringify({ instances: [{ ...instanceStatus(carol), instance: 1 }] })],
  ])('does not take an answer that is %s for a list of instances', async (_, body) => {
    const client = await answering(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    expect(await failure(client.list())).toMatchObject({
      code: 'internal',
      fix: expect.stringContaining('one version'),
    })
  })

  it('says so when something else than tenement answers with an error', async () => {
    const client = await answering('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 6\r\n\r\n<html>')
    expect((await failure(client.list())).message).toContain('status 502')
  })

  it('passes log lines on as they come, bytes that are not UTF-8 included', async () => {
    const lines: readonly LogLine[] = [
      { at: '2026-11-23T18:15:54.123Z', stream: 'err', text: 'grüße \u001b[31m', base64: null },
      { at: null, stream: 'out', text: '\ufffd', base64: '/w==' },
    ]
    const asked: unknown[] = []
    async function* readLogs(name: unknown, { lines: count, follow }: { lines: number; follow: boolean }) {
      asked.push([name, count, follow])
      yield* lines
    }
    const client = connectControl((await start({ readLogs })).socketPath)
    const received: LogLine[] = []
    for await (const line of client.logs(carol, { lines: 7, follow: false })) received.push(line)
    expect(received).toEqual(lines)
    expect(asked).toEqual([[carol, 7, false]])
  })

  it('rejects when the log of an unknown instance is asked for', async () => {
    const client = connectControl((await start()).socketPath)
    expect(await failure(collect(client.logs(dave, { lines: 1, follow: false })))).toMatchObject({
      code: 'unknown_instance',
    })
  })

  it('rejects when the server goes away while a log is followed', async () => {
    const client = await answering(
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e\r\n{"at":null,"stream":"out","text":"the last line","base64":null}\r\n',
    )
    expect(await failure(collect(client.logs(carol, { lines: 1, follow: true })))).toMatchObject({
      code: 'not_running',
    })
  })
})
