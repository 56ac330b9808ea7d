import { expect, test } from 'vitest'
import { fateOf, Harness, nameOf, settled } from './harness.ts'

const minute = 60_000

test('L3.1 an instance that does not exist is refused and leaves nothing behind', async () => {
  const house = new Harness()
  for (const name of ['notes:mallory', 'shop:alice', 'nonsense', 'notes:../alice', '__proto__:constructor']) {
    const request = house.request(name)
    await settled()
    expect(fateOf(request)).toBe('unavailable')
  }
  expect(house.started).toEqual([])
  expect(house.supervisor.operations.list().length).toBe(2)
})

test('isKnown tells declared, added and open instances from all others', () => {
  const { supervisor } = new Harness({ services: { pages: { open: true } } })
  expect(supervisor.isKnown('notes', 'alice')).toBe(true)
  expect(supervisor.isKnown('notes', 'mallory')).toBe(false)
  expect(supervisor.isKnown('pages', 'anybody')).toBe(true)
  expect(supervisor.isKnown('pages', 'not/a/name')).toBe(false)
  expect(supervisor.isKnown('shop', 'main')).toBe(false)
})

test('an instance of an open service is listed while it is awake and forgotten when it sleeps', async () => {
  const house = new Harness({ rules: { open: true } })
  await house.ready('notes:stranger')
  expect(house.supervisor.operations.list().map(({ instance, source }) => `${instance} ${source}`)).toEqual([
    'notes:alice config',
    'notes:bob config',
    'notes:stranger open',
  ])
  await house.clock.advance(6 * minute)
  expect(house.supervisor.operations.list().length).toBe(2)
  expect(house.clock.pending).toBe(0)
})

test('names that strangers make up leave nothing behind when their requests are refused', async () => {
  const house = new Harness({ rules: { open: true, queueMax: 1_000 }, maxConcurrentWakes: 1 })
  const requests = Array.from({ length: 10_500 }, (_, number) => house.request(`notes:made-up-${number}`))
  await settled()
  expect(requests.filter((request) => fateOf(request) === 'queue_full').length).toBe(500)
  expect(house.supervisor.operations.list().length).toBe(2 + 10_000)
  for (const request of requests) request.leave()
  await settled()
  // The one that was started goes on.
  expect(house.supervisor.operations.list().length).toBe(2 + 1)
})

test('a crash of an open instance is remembered as long as it counts, then forgotten', async () => {
  const house = new Harness({ rules: { open: true } })
  for (let number = 0; number < 4; number += 1) {
    house.request('notes:stranger').leave()
    const request = house.request('notes:stranger')
    await settled()
    request.leave()
    house.process('notes:stranger').exit({ code: 1 })
    await house.clock.advance(5_000)
  }
  expect(house.phase('notes:stranger')).toBe('asleep')
  const request = house.request('notes:stranger')
  await settled()
  house.process('notes:stranger').exit({ code: 1 })
  await settled()
  expect(fateOf(request)).toBe('crashloop')

  house.request('notes:other')
  await settled()
  house.process('notes:other').exit({ code: 1 })
  await house.clock.advance(40_000)
  await house.supervisor.operations.stop(nameOf('notes:other'))
  await house.clock.advance(11 * minute)
  await house.ready('notes:third')
  await house.clock.advance(6 * minute)
  expect(house.supervisor.operations.list().map(({ instance }) => instance)).not.toContain('notes:other')
})

test('an open instance that did nothing wrong is forgotten though one that crashed before it is not', async () => {
  const house = new Harness({ rules: { open: true } })
  const crashing = await house.ready('notes:crashing')
  crashing.exit({ code: 1 })
  await house.clock.advance(1_000)
  await house.ready('notes:good')
  await house.supervisor.operations.stop(nameOf('notes:good'))
  const listed = house.supervisor.operations.list().map(({ instance }) => instance)
  expect(listed).toContain('notes:crashing')
  expect(listed).not.toContain('notes:good')
})

test('the list is in order of names, whatever happened first', async () => {
  const house = new Harness({ services: { api: {} }, declared: { notes: ['bob', 'alice'], api: ['zoe'] } })
  await house.ready('notes:bob')
  expect(house.supervisor.operations.list().map(({ instance }) => instance)).toEqual([
    'api:zoe',
    'notes:alice',
    'notes:bob',
  ])
})

test('the status of an instance nobody asked for yet says that it sleeps, and costs nothing', () => {
  const house = new Harness()
  expect(house.status()).toEqual({
    instance: 'notes:alice',
    service: 'notes',
    id: 'alice',
    phase: 'asleep',
    address: 'alice.notes.example.com',
    source: 'config',
    isolation: 'none',
    seccomp: null,
    blocked: null,
    refused: null,
    pid: null,
    uid: null,
    startedAt: null,
    uptimeMs: null,
    idleMs: null,
    active: 0,
    requests: 0,
    restarts: 0,
    memoryBytes: null,
    storage: null,
    attestation: null,
    dataDir: '/data/alice',
    logFile: '/log/notes/alice.log',
    lastWake: null,
    lastStop: null,
    lastExit: null,
    nextAttemptAt: null,
  })
  expect(house.clock.pending).toBe(0)
})

test('the status of an instance tells how it is and how it was', async () => {
  const house = new Harness()
  await house.leased()
  await house.clock.advance(12_000)
  house.process().exit({ code: 3 })
  await settled()
  expect(house.status()).toMatchObject({
    phase: 'backoff',
    lastStop: 'exited with code 3 after 12s',
    lastExit: {
      at: new Date(house.clock.wallMs()).toISOString(),
      code: 3,
      signal: null,
      outOfMemory: false,
      refusedForks: 0,
      outOfStorage: false,
    },
    attestation: null,
    nextAttemptAt: new Date(house.clock.wallMs()).toISOString(),
  })
  await house.clock.advance(100)
  const lease = await house.leased()
  const { pid } = house.process()
  expect(house.status()).toMatchObject({
    phase: 'ready',
    attestation: { at: '1970-01-01T00:00:01.000Z', found: { 'pid.private': 'pid:[1]' } },
    pid,
    active: 1,
    requests: 2,
    restarts: 1,
    memoryBytes: pid * 1_024,
  })
  lease.release()
  await house.clock.advance(30_000)
  expect(house.status()).toMatchObject({ active: 0, idleMs: 30_000 })
})

test('what differs for one tenant is used for that tenant alone', async () => {
  const house = new Harness({
    serviceFor: (service, id) => (id === 'alice' ? { ...service, idleTimeoutMs: minute } : service),
  })
  await house.ready('notes:alice')
  await house.ready('notes:bob')
  await house.clock.advance(2 * minute)
  expect(house.phase('notes:alice')).toBe('asleep')
  expect(house.phase('notes:bob')).toBe('ready')
})

test('a service this machine cannot run is refused, and the others run', async () => {
  const unrunnable = new Map([['shop', '"php" is not on the PATH']])
  const house = new Harness({ unrunnable, services: { shop: {} }, declared: { notes: ['alice'], shop: ['main'] } })
  const request = house.request('shop:main')
  await settled()
  expect(fateOf(request)).toBe('unavailable')
  await expect(house.supervisor.operations.wake(nameOf('shop:main'))).rejects.toMatchObject({
    code: 'start_failed',
    message: 'shop:main cannot run: "php" is not on the PATH',
  })
  expect(house.status('shop:main').refused).toBe('"php" is not on the PATH')
  expect(house.status('notes:alice').refused).toBeNull()
  await house.leased('notes:alice')
})

test('shutdown ends every instance at once, refuses who waits and who comes, and leaves no timer', async () => {
  const house = new Harness({ maxConcurrentWakes: 2, declared: { notes: ['alice', 'bob', 'carol', 'dave'] } })
  await house.leased('notes:alice')
  await house.ready('notes:bob')
  house.process('notes:bob').exit({ code: 1 })
  await settled()
  const waiting = house.request('notes:carol')
  await settled()
  house.process('notes:alice').obeys = false
  house.process('notes:carol').obeys = false
  let isOver = false
  const shutdown = house.supervisor.shutdown().then(() => {
    isOver = true
  })
  await settled()
  expect(fateOf(waiting)).toBe('shutting_down')
  expect(house.process('notes:alice').orders).toEqual(['stop'])
  expect(house.process('notes:carol').orders).toEqual(['stop'])
  for (const instance of ['notes:alice', 'notes:bob', 'notes:dave']) {
    const request = house.request(instance)
    await settled()
    expect(fateOf(request)).toBe('shutting_down')
  }
  house.process('notes:carol').exit({})
  await settled()
  expect(isOver).toBe(false)
  house.process('notes:alice').exit({})
  await shutdown
  expect(house.clock.pending).toBe(0)
  expect(house.supervisor.operations.list().map(({ phase }) => phase)).toEqual(Array(4).fill('asleep'))
})

test('shutdown while an instance drains for a restart ends it and starts nothing again', async () => {
  const house = new Harness({ rules: { autostart: true, idleTimeoutMs: undefined } })
  await house.leased()
  const restarted = house.supervisor.operations.restart(nameOf('notes:alice'))
  const shutdown = house.supervisor.shutdown()
  await expect(restarted).rejects.toMatchObject({ code: 'start_failed' })
  await shutdown
  await house.clock.advance(60_000)
  expect(house.starts()).toBe(1)
  expect(house.alive()).toBe(0)
})

test('a sleeping instance holds no timer, whatever put it to sleep', async () => {
  const house = new Harness()
  await house.ready()
  await house.clock.advance(6 * minute)
  expect(house.clock.pending).toBe(0)
  await house.ready()
  house.process().exit({ code: 0 })
  await settled()
  expect(house.clock.pending).toBe(0)
  await house.ready()
  await house.supervisor.operations.stop(nameOf('notes:alice'))
  expect(house.clock.pending).toBe(0)
  await house.ready()
  house.process().exit({ code: 9 })
  await house.clock.advance(10_000)
  expect(house.phase()).toBe('asleep')
  expect(house.clock.pending).toBe(0)
})
