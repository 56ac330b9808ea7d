import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { isAlive, withCommandLine } from '../../helpers/processes.ts'
import { apps, type StartOptions, startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const config = `
[service.api]
command = "node app.mjs"
cwd = "${apps}"
isolation = "none"
stop_timeout = "1s"
[service.late]
command = "sh -c 'sleep 1; exec node app.mjs'"
cwd = "${apps}"
isolation = "none"
data = "{data_dir}/{name}/{id}"
[service.deaf]
command = "sh -c 'trap \\"\\" TERM; node app.mjs & wait; wait'"
cwd = "${apps}"
isolation = "none"
stop_timeout = "500ms"
data = "{data_dir}/{name}/{id}"
[instances]
api = ["alice", "bob", "carol"]
late = ["alice"]
deaf = ["alice"]
`

describe('tenement', () => {
  let tenement: Tenement | undefined
  afterEach(async () => {
    await tenement?.stop()
    tenement = undefined
  })
  const start = async (options: Partial<StartOptions> = {}): Promise<Tenement> => {
    tenement = await startTenement({ config, ...options })
    return tenement
  }
  const whoami = async (server: Tenement, id: string): Promise<number> =>
    JSON.parse((await server.ask(`${id}.api.test`, { path: '/whoami' })).body).pid

  test('L3.31 keeps every instance with its pid, and answers every new connection, when its server is killed under load', async () => {
    const server = await start()
    const before = await Promise.all(['alice', 'bob', 'carol'].map((id) => whoami(server, id)))
    const killed = await server.serverPid()

    // New connections all the time, from before the kill until well after the next server serves.
    const answers: (number | string)[] = []
    let isLoading = true
    const load = Array.from({ length: 4 }, async (_, client) => {
      while (isLoading) {
        const id = ['alice', 'bob', 'carol'][client % 3] ?? 'alice'
        answers.push(
          await server.ask(`${id}.api.test`).then(
            ({ status }) => status,
            (error: NodeJS.ErrnoException) => error.code ?? error.message,
          ),
        )
      }
    })
    await waitUntil(() => answers.length > 50)
    const atKill = answers.length
    process.kill(killed, 'SIGKILL')
    await waitUntil(() => answers.slice(atKill).filter((answer) => answer === 200).length > 100, 20_000)
    isLoading = false
    await Promise.all(load)

    // What was in the hands of the killed server is lost, at most one request for each client; nothing else is.
    const lost = answers.filter((answer) => answer !== 200)
    expect(lost.length).toBeLessThanOrEqual(4)
    expect(lost.every((answer) => answer === 'ECONNRESET')).toBe(true)
    expect(await Promise.all(['alice', 'bob', 'carol'].map((id) => whoami(server, id)))).toEqual(before)
    expect(await server.serverPid()).not.toBe(killed)
    expect(await server.status('api:alice')).toMatchObject({ phase: 'ready', pid: before[0] })
  }, 40_000)

  test('connections made while there is no server wait, and are answered by the next one', async () => {
    const server = await start()
    await whoami(server, 'alice')
    process.kill(await server.serverPid(), 'SIGKILL')
    expect((await server.ask('alice.api.test')).status).toBe(200)
  })

  test('a restarted server goes on with an instance that was starting', async () => {
    const server = await start()
    const asked = server.ask('alice.late.test').catch(() => undefined)
    await waitUntil(async () => {
      const { phase, pid } = await server.status('late:alice')
      return phase === 'starting' && pid !== null
    })
    const { pid } = await server.status('late:alice')
    process.kill(await server.serverPid(), 'SIGKILL')
    await asked
    expect((await server.ask('alice.late.test')).status).toBe(200)
    expect((await server.status('late:alice')).pid).toBe(pid)
  })

  test('a restarted server counts idle time anew and still puts what it took over to sleep', async () => {
    const server = await start({
      config: config.replace('stop_timeout = "1s"', 'stop_timeout = "1s"\nidle_timeout = "700ms"'),
    })
    const pid = await whoami(server, 'alice')
    process.kill(await server.serverPid(), 'SIGKILL')
    await waitUntil(async () => (await server.status('api:alice')).phase === 'asleep')
    expect(isAlive(pid)).toBe(false)
  })

  test('remembers added and disabled instances over a restart of the whole', async () => {
    const first = await start()
    await first.command('add', 'api:dave')
    await first.command('disable', 'api:bob')
    const { root, tenantUids } = first
    first.process.kill('SIGTERM')
    await once(first.process, 'exit')
    const second = await startTenement({ config, root, tenantUids })
    try {
      expect((await second.ask('dave.api.test')).status).toBe(200)
      expect((await second.ask('bob.api.test')).headers['x-tenement-reason']).toBe('disabled')
    } finally {
      await second.stop()
    }
  })

  test('ends in order on SIGTERM: every instance is asked, those that do not obey are killed, and the exit code is 0', async () => {
    const server = await start()
    const pids = [await whoami(server, 'alice'), await whoami(server, 'bob')]
    await server.ask('alice.deaf.test')
    const { pid } = await server.status('deaf:alice')
    server.process.kill('SIGTERM')
    const [code] = await once(server.process, 'exit')
    expect(code).toBe(0)
    for (const each of [...pids, pid]) expect(isAlive(each)).toBe(false)
    expect(withCommandLine(`${server.root}/`)).toEqual([])
  })

  test('ends at once on a second signal', async () => {
    const server = await start({ config: config.replace('stop_timeout = "500ms"', 'stop_timeout = "60s"') })
    await server.ask('alice.deaf.test')
    const { pid } = await server.status('deaf:alice')
    server.process.kill('SIGINT')
    await waitUntil(async () => (await server.ask('alice.api.test').catch(() => undefined)) === undefined)
    server.process.kill('SIGTERM')
    const [code] = await once(server.process, 'exit')
    expect(code).toBe(143)
    expect(isAlive(pid)).toBe(false)
  })

  test('does not close a WebSocket or an event stream for idleness', async () => {
    const server = await start({
      config: config.replace('stop_timeout = "1s"', 'stop_timeout = "1s"\nidle_timeout = "200ms"'),
    })
    const agent = new Agent({ keepAlive: true })
    // A request that never ends, as an event stream is; then one more through a kept connection, which is not activity.
    const stream = request({ port: server.port, path: '/slow?ms=1500', headers: { host: 'alice.api.test' }, agent })
    stream.end()
    const [answer] = await once(stream, 'response')
    answer.resume()
    expect(answer.statusCode).toBe(200)
    await once(answer, 'end')
    const { pid } = await server.status('api:alice')
    await waitUntil(() => pid === null || !isAlive(pid))
    agent.destroy()
  })

  test('a killed server wakes nobody who was put to sleep, autostart or not', async () => {
    const server = await start({
      config: config.replace('stop_timeout = "1s"', 'stop_timeout = "1s"\nautostart = true'),
    })
    await waitUntil(async () => (await server.status('api:alice')).phase === 'ready')
    await server.command('stop', 'api:alice')
    const killed = await server.serverPid()
    process.kill(killed, 'SIGKILL')
    await waitUntil(async () => (await server.status('api:bob')).phase === 'ready')
    expect(await server.status('api:alice')).toMatchObject({ phase: 'asleep', pid: null })
  })

  test('goes on when nobody reads what it prints any more', async () => {
    const server = await start()
    server.process.stdout?.destroy()
    server.process.stderr?.destroy()
    const pid = await server.serverPid()
    for (const id of ['alice', 'bob']) await whoami(server, id)
    await server.command('stop', 'api:alice')
    expect((await server.ask('alice.api.test')).status).toBe(200)
    expect(await server.serverPid()).toBe(pid)
  })

  test('a connection that asks for nothing wakes nobody', async () => {
    const server = await start()
    const socket = connect(server.port, '127.0.0.1')
    await once(socket, 'connect')
    expect(
      JSON.parse((await server.command('ps', '--json')).stdout).instances?.every(
        ({ pid }: { pid: unknown }) => pid === null,
      ) ?? true,
    ).toBe(true)
    socket.destroy()
  })
})
