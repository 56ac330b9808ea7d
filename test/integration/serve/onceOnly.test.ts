// What is promised of a request on a whole tenement under load: an instance that falls asleep loses none, nor does the end of the
// server. The application keeps a ledger of what it was given, and dies at once when it is told to end: whatever it were given
// too late would be missing there.
import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { ledgerService, readLedger, type Sending, type Sent, send, sorted } from '../../helpers/ledger.ts'
import { isAlive } from '../../helpers/processes.ts'
import { isRoot } from '../../helpers/root.ts'
import { startTenement, type Tenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const accepted = isRoot ? '' : 'accept = ["shared-uid", "no-memory-limit", "no-pids-limit", "no-cpu-limit"]'
const levels = [
  { isolation: 'none', more: '' },
  { isolation: 'sandbox', more: accepted },
] as const
const instances = ['i1', 'i2', 'i3']

const idleMs = 60
/** Before, at and after the moment an instance is found idle, its end and its being gone. */
const gapMs = (): number => idleMs * (0.7 + Math.random() * 0.6)

/** Several times the size of what one read takes. */
const large = 20_000

describe.each(levels)('a request to an instance under $isolation', ({ isolation, more }) => {
  let tenement: Tenement | undefined
  const agents: Agent[] = []
  afterEach(async () => {
    for (const agent of agents.splice(0)) agent.destroy()
    await tenement?.stop()
    tenement = undefined
  })
  const start = async (keys: string): Promise<Tenement> => {
    tenement = await startTenement({
      config: `${ledgerService(isolation, `${more}\n${keys}`)}\n[instances]\nledger = ${JSON.stringify(instances)}`,
    })
    return tenement
  }
  const keptConnection = (): Agent => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    agents.push(agent)
    return agent
  }
  const pidOf = async (server: Tenement, id: string): Promise<number> => (await server.status(`ledger:${id}`)).pid

  test('is answered once, and done once, at whatever moment its instance falls asleep', async () => {
    const server = await start(`idle_timeout = "${idleMs}ms"`)
    const kinds = (agent: Agent): Sending[] => [
      { agent },
      { agent, times: 3 },
      { times: large, isChunked: true },
      { times: 4, pauseMs: idleMs * 2 },
      {},
    ]
    const ask = async (id: string): Promise<Sent[]> => {
      const sent: Sent[] = []
      const clients = kinds(keptConnection())
      // An instance that was often started has as often been asked in the moment in which it ended.
      while (sent.length < 40 || readLedger(server, id).starts < 6) {
        const alone = clients[sent.length % clients.length]
        const all = Math.random() < 0.5 ? clients : [alone]
        sent.push(...(await Promise.all(all.map((client) => send(server, id, client)))))
        await delay(gapMs())
      }
      return sent
    }
    const all = await Promise.all(instances.map(ask))
    for (const [index, sent] of all.entries()) {
      expect(sent.filter(({ outcome, isItsOwn }) => outcome !== 200 || !isItsOwn)).toEqual([])
      expect(sorted(readLedger(server, instances[index] ?? '').entries)).toEqual(sorted(sent))
    }
  }, 60_000)

  test('is done once when it is answered, and never twice, while the server is killed under load; pids stay', async () => {
    const server = await start('')
    await Promise.all(instances.map((id) => send(server, id)))
    const before = await Promise.all(instances.map((id) => pidOf(server, id)))
    const killed = await server.serverPid()
    const earlier = instances.map((id) => readLedger(server, id).entries.length)

    const sent = new Map<string, Sent[]>(instances.map((id) => [id, []]))
    const answered = (): number => [...sent.values()].flat().filter(({ outcome }) => outcome === 200).length
    let isLoading = true
    const load = instances.flatMap((id) =>
      [{ agent: keptConnection(), times: 3 }, { times: 3 }].map(async (client) => {
        while (isLoading) sent.get(id)?.push(await send(server, id, client))
      }),
    )
    await waitUntil(() => answered() > 100)
    const atKill = answered()
    process.kill(killed, 'SIGKILL')
    await waitUntil(() => answered() > atKill + 100, 20_000)
    isLoading = false
    await Promise.all(load)

    const lost = [...sent.values()].flat().filter(({ outcome }) => outcome !== 200)
    // Each client had one request in the hands of the server that was killed, and nothing else is lost.
    expect(lost.length).toBeLessThanOrEqual(load.length)
    // By the end of its connection: as the kernel tells one who reads (ECONNRESET), and one who writes after it (EPIPE).
    expect(lost.filter(({ outcome }) => outcome !== 'ECONNRESET' && outcome !== 'EPIPE')).toEqual([])
    const isLost = new Set(lost.map(({ id }) => id))
    for (const [index, id] of instances.entries()) {
      const done = readLedger(server, id).entries.slice(earlier[index])
      expect(new Set(done.map((entry) => entry.id)).size).toBe(done.length)
      const answeredOnes = (sent.get(id) ?? []).filter(({ outcome }) => outcome === 200)
      expect(answeredOnes.every(({ isItsOwn }) => isItsOwn)).toBe(true)
      expect(sorted(done.filter((entry) => !isLost.has(entry.id)))).toEqual(sorted(answeredOnes))
    }
    expect(await Promise.all(instances.map((id) => pidOf(server, id)))).toEqual(before)
    expect(await server.serverPid()).not.toBe(killed)
  }, 40_000)

  test('that comes while no server is there waits for the next, which has it done once', async () => {
    const server = await start('')
    await send(server, 'i1')
    const pid = await pidOf(server, 'i1')
    const killed = await server.serverPid()
    // While it stands still, the launcher starts no other server: all that is sent now waits in the socket it holds.
    const { pid: launcher = 0 } = server.process
    process.kill(launcher, 'SIGSTOP')
    let waiting: Promise<Sent>[]
    try {
      process.kill(killed, 'SIGKILL')
      await waitUntil(() => !isAlive(killed))
      // Two for each instance, all but the first of which sleep.
      let connected = 0
      const onConnected = (): void => {
        connected += 1
      }
      const clients = [{ times: 3 }, { times: large }]
      waiting = instances.flatMap((id) => clients.map((client) => send(server, id, { ...client, onConnected })))
      await waitUntil(() => connected === waiting.length)
    } finally {
      process.kill(launcher, 'SIGCONT')
    }
    const sent = await Promise.all(waiting)
    expect(sent.filter(({ outcome, isItsOwn }) => outcome !== 200 || !isItsOwn)).toEqual([])
    const done = instances.flatMap((id) => readLedger(server, id).entries).filter(({ bytes }) => bytes > 0)
    expect(sorted(done)).toEqual(sorted(sent))
    expect(await pidOf(server, 'i1')).toBe(pid)
  })
})
