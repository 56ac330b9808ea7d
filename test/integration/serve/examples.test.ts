import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { isAlive } from '../../helpers/processes.ts'
import { type Answer, examples, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

/** The services of the tenement.toml that a newcomer starts with, put to sleep sooner. */
const config = readFileSync(new URL('../../../tenement.toml', import.meta.url), 'utf8')
  .replace(/[\s\S]*?(?=\[service\.)/, '')
  .replaceAll('cwd = "examples', `cwd = "${examples}`)
  .replace('idle_timeout = "1m"', '')
  .replaceAll(/^isolation = .*$/gm, '$&\nidle_timeout = "600ms"')

describe('the examples', () => {
  let tenement: Tenement
  beforeAll(async () => {
    // Without a C compiler hello is refused, as a newcomer would see it; the others run.
    tenement = await startTenement({ config })
  })
  afterAll(async () => {
    await tenement.stop()
  })

  const isAsleep = async (instance: string): Promise<boolean> => (await tenement.status(instance)).phase === 'asleep'
  const addNote = (tenant: string, text: string): Promise<Answer> =>
    tenement.ask(`${tenant}.notes.test`, {
      method: 'POST',
      path: '/api/notes',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    })
  const notesOf = async (tenant: string): Promise<string[]> => {
    const { body } = await tenement.ask(`${tenant}.notes.test`, { path: '/api/notes' })
    return JSON.parse(body).map(({ text }: { text: string }) => text)
  }

  test('two tenants of one program write, sleep, wake by a request, and each finds only its own rows', async () => {
    expect((await addNote('alice', 'of alice')).status).toBe(201)
    expect((await addNote('bob', 'of bob')).status).toBe(201)
    await waitUntil(async () => (await isAsleep('notes:alice')) && (await isAsleep('notes:bob')))
    expect(await notesOf('alice')).toEqual(['of alice'])
    expect(await notesOf('bob')).toEqual(['of bob'])
    for (const tenant of ['alice', 'bob'])
      expect(existsSync(join(tenement.root, 'data', 'notes', tenant, 'notes.db'))).toBe(true)
  })

  test('a WebSocket keeps its instance awake, carries messages both ways, and lets it sleep when it is closed', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${tenement.port}/ws`, { headers: { host: 'lobby.chat.test' } })
    await once(socket, 'open')
    const { pid } = await tenement.status('chat:lobby')
    // Longer than idle_timeout with no byte in either direction.
    const asleepAt = performance.now() + 1_500
    await waitUntil(() => performance.now() > asleepAt)
    expect(isAlive(pid)).toBe(true)
    const heard = once(socket, 'message')
    socket.send('hello')
    expect(String((await heard)[0])).toContain('hello')
    socket.close()
    await waitUntil(() => isAlive(pid) === false)
  })

  test('an event stream keeps its instance awake and delivers what another request posts', async () => {
    const request = get({ port: tenement.port, path: '/events', headers: { host: 'lobby.chat.test' } })
    const [stream] = await once(request, 'response')
    expect(stream.headers['content-type']).toContain('text/event-stream')
    const { pid } = await tenement.status('chat:lobby')
    const later = performance.now() + 1_500
    await waitUntil(() => performance.now() > later)
    expect(isAlive(pid)).toBe(true)
    let received = ''
    stream.on('data', (chunk: Buffer) => {
      received += chunk
    })
    await tenement.ask('lobby.chat.test', { method: 'POST', path: '/messages', body: 'from a request' })
    await waitUntil(() => received.includes('from a request'))
    request.destroy()
    await waitUntil(() => isAlive(pid) === false)
  })

  test('gunicorn serves on the socket it inherits, and requests made while it boots are answered', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => tenement.ask('wsgi.test')))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(answers[0]?.headers.server).toMatch(/gunicorn/)
    await waitUntil(() => isAsleep('wsgi:main'))
  })

  test('a C program of one file is served as any other', async ({ skip }) => {
    if (!existsSync(join(examples, 'hello-c', 'hello'))) skip('no C compiler built it')
    expect(await tenement.ask('hello.test')).toMatchObject({ status: 200, body: 'hello from C\n' })
  })
})
