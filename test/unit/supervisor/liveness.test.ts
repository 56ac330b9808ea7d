// Row 19 of the transition table: an instance that does not answer any more. Servers and sockets are real, the clock is not.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { type LivenessOptions, watchLiveness } from '../../../src/supervisor/liveness.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'
import { FakeClock, settled } from './fakeClock.ts'
import { fateOf, Harness } from './harness.ts'

const second = 1_000

const serve = async (listener: RequestListener): Promise<() => Promise<Socket>> => {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return async () => connect({ port, host: '127.0.0.1' })
}

const refused = (): Promise<Socket> => Promise.reject(new Error('connection refused'))

/** One that is watched; `connect` may be exchanged, and `bytes` moved. */
const watched = (first: () => Promise<Socket>, options: Partial<LivenessOptions> = {}) => {
  const clock = new FakeClock()
  const sockets: Socket[] = []
  const instance = { clock, sockets, connect: first, bytes: 0, asked: 0, deaths: 0, stop: (): void => undefined }
  instance.stop = watchLiveness({
    clock,
    process: {
      connect: async () => {
        instance.asked += 1
        const socket = await instance.connect()
        sockets.push(socket)
        return socket
      },
      watchOutput: () => () => undefined,
    },
    path: '/alive',
    isStrict: false,
    random: () => 0,
    receivedBytes: () => instance.bytes,
    onDead: () => {
      instance.deaths += 1
    },
    ...options,
  })
  return instance
}

/** Ten seconds pass, and what was asked then has come to its end. */
const askOnce = async (instance: ReturnType<typeof watched>): Promise<void> => {
  await instance.clock.advance(10 * second)
  await waitUntil(() => instance.sockets.length === instance.asked && instance.sockets.at(-1)?.destroyed === true)
  await settled()
}

test('an instance is asked for its path every ten seconds, and lives while it answers', async () => {
  const paths: unknown[] = []
  const instance = watched(
    await serve(({ url }, response) => {
      paths.push(url)
      response.end()
    }),
  )
  for (const _ of [1, 2, 3, 4, 5]) await askOnce(instance)
  expect(paths).toEqual(Array(5).fill('/alive'))
  expect(instance.deaths).toBe(0)
  instance.stop()
  expect(instance.clock.pending).toBe(0)
})

test('three failures in a row are the end of it, and two are not', async () => {
  const instance = watched(refused)
  await instance.clock.advance(29 * second)
  expect([instance.asked, instance.deaths]).toEqual([2, 0])
  await instance.clock.advance(second)
  expect([instance.asked, instance.deaths]).toEqual([3, 1])
  await instance.clock.advance(60 * second)
  expect([instance.asked, instance.deaths]).toEqual([3, 1])
})

test('an answer that says 500 is a failure', async () => {
  const instance = watched(await serve((_, response) => void response.writeHead(500).end()))
  await askOnce(instance)
  await askOnce(instance)
  expect(instance.deaths).toBe(0)
  await askOnce(instance)
  expect(instance.deaths).toBe(1)
})

test('an answer that takes longer than two seconds is a failure', async () => {
  const arrived: unknown[] = []
  const instance = watched(await serve((request) => void arrived.push(request)))
  for (const round of [1, 2, 3]) {
    await instance.clock.advance(10 * second)
    await waitUntil(() => arrived.length === round)
    await instance.clock.advance(1.9 * second)
    expect([instance.sockets.at(-1)?.destroyed, instance.deaths]).toEqual([false, 0])
    await instance.clock.advance(0.1 * second)
    await waitUntil(() => instance.sockets.at(-1)?.destroyed === true)
    await settled()
  }
  expect(instance.deaths).toBe(1)
})

test('one answer makes up for two failures', async () => {
  const instance = watched(refused)
  await instance.clock.advance(20 * second)
  instance.asked = 0
  instance.connect = await serve((_, response) => void response.end())
  await askOnce(instance)
  instance.connect = refused
  await instance.clock.advance(20 * second)
  expect([instance.asked, instance.deaths]).toEqual([3, 0])
})

test('one that still sends bytes of responses is busy, not dead, unless that is not to count', async () => {
  for (const [isStrict, deaths] of [
    [false, 0],
    [true, 1],
  ] as const) {
    const instance = watched(refused, { isStrict })
    for (const _ of [1, 2, 3, 4]) {
      instance.bytes += 1
      await instance.clock.advance(10 * second)
    }
    expect(instance.deaths).toBe(deaths)
    instance.stop()
  }
})

test('instances that became ready together are not asked together', async () => {
  const instance = watched(refused, { random: () => 1 })
  await instance.clock.advance(10.9 * second)
  expect(instance.asked).toBe(0)
  await instance.clock.advance(0.2 * second)
  expect(instance.asked).toBe(1)
})

test('one whose watch ends while it is being asked is not told dead any more', async () => {
  const arrived: unknown[] = []
  const instance = watched(await serve((request) => void arrived.push(request)))
  await instance.clock.advance(10 * second)
  await waitUntil(() => arrived.length === 1)
  instance.stop()
  await settled()
  expect([instance.clock.pending, instance.deaths]).toEqual([0, 0])
})

/** An instance that became ready and answers nothing any more. */
const hung = async () => {
  const house = new Harness({ rules: { liveness: '/alive' } })
  house.chance = 0
  const process = await house.ready()
  process.connect = refused
  return { house, process }
}

test('L3.19 ready + three failures of liveness: asked to stop, counted as a crash, and started again by the next request', async () => {
  const { house, process } = await hung()
  process.obeys = false
  await house.clock.advance(31 * second)
  expect(house.phase()).toBe('stopping')
  expect(process.orders).toEqual(['stop'])
  process.exit({ code: null, signal: 'SIGTERM' })
  await settled()
  expect(house.status()).toMatchObject({ phase: 'backoff', lastStop: 'did not answer "/alive" 3 times in a row' })
  const request = house.request()
  await house.clock.advance(second)
  house.process().isListening = true
  await house.clock.advance(100)
  expect(fateOf(request)).toBe('served')
  expect(house.status().restarts).toBe(1)
})

test('L3.19 ready + three failures of liveness after a long time: the first crash anew, however many there were before', async () => {
  const house = new Harness({ rules: { liveness: '/alive', idleTimeoutMs: undefined } })
  for (const _ of [1, 2, 3, 4, 5, 6, 7]) {
    const process = await house.ready()
    const answer = await serve((_request, response) => void response.end())
    process.connect = answer
    await house.clock.advance(9 * 60 * second)
    process.connect = refused
    await house.clock.advance(2 * 60 * second)
    expect(house.phase()).toBe('asleep')
  }
})

test('being asked whether it lives keeps no instance awake', async () => {
  const house = new Harness({ rules: { liveness: '/alive', idleTimeoutMs: 60 * second } })
  const process = await house.ready()
  process.connect = await serve((_, response) => void response.end())
  let active = 0
  for (let at = 0; at < 65; at += 1) {
    await house.clock.advance(second)
    active += house.status().active
  }
  expect(house.phase()).toBe('asleep')
  expect(active).toBe(0)
  expect(house.clock.pending).toBe(0)
})
