import { expect, test } from 'vitest'
import { fateOf, Harness, nameOf, settled, temporaryState } from '../harness.ts'

const alice = nameOf('notes:alice')
const carol = nameOf('notes:carol')

const waking = async (house: Harness, instance = 'notes:alice') => {
  await settled()
  house.process(instance).isListening = true
  await house.clock.advance(100)
}

test('wake resolves when the instance is ready', async () => {
  const house = new Harness()
  const woken = house.supervisor.operations.wake(alice)
  await waking(house)
  expect(await woken).toMatchObject({ phase: 'ready', active: 0, requests: 0 })
  expect(await house.supervisor.operations.wake(alice)).toMatchObject({ phase: 'ready' })
  expect(house.starts()).toBe(1)
})

test('wake says why the first start failed, with the last line the program wrote', async () => {
  const house = new Harness()
  const woken = house.supervisor.operations.wake(alice)
  await settled()
  house.process().exit({ code: 1, lastLines: ['loading', 'no \u001b[31mmodule\u001b[0m named app'] })
  await expect(woken).rejects.toMatchObject({
    code: 'start_failed',
    message:
      'notes:alice could not be started: exited with code 1 after 0ms; its last line was "no ?[31mmodule?[0m named app"',
    fix: 'see what it wrote with "tenement logs notes:alice"',
  })
})

test('wake does not wait for the backoff, nor for the breaker', async () => {
  const house = new Harness()
  await house.crashUntilLeftAlone()
  const woken = house.supervisor.operations.wake(alice)
  await waking(house)
  expect(await woken).toMatchObject({ phase: 'ready' })
})

test('wake of a disabled instance says how to enable it', async () => {
  const house = new Harness()
  await house.supervisor.operations.disable(alice)
  await expect(house.supervisor.operations.wake(alice)).rejects.toMatchObject({
    code: 'start_failed',
    fix: '"tenement enable notes:alice"',
  })
  await expect(house.supervisor.operations.restart(alice)).rejects.toMatchObject({ code: 'start_failed' })
  expect(house.phase()).toBe('disabled')
})

test('stop resolves when nothing runs, turns away who waited, and the next request wakes it again', async () => {
  const house = new Harness()
  const waiting = house.request()
  await settled()
  expect(await house.supervisor.operations.stop(alice)).toMatchObject({
    phase: 'asleep',
    lastStop: 'stopped by an operator',
  })
  expect(fateOf(waiting)).toBe('stopped')
  await house.leased()
  expect(house.starts()).toBe(2)
})

test('stop of an instance in backoff leaves it asleep, also when it is always to be on', async () => {
  const house = new Harness({ rules: { autostart: true, idleTimeoutMs: undefined } })
  const process = await house.ready()
  process.exit({ code: 1 })
  await settled()
  expect(await house.supervisor.operations.stop(alice)).toMatchObject({ phase: 'asleep' })
  await house.clock.advance(60_000)
  expect(house.starts()).toBe(1)
})

test('a stop of ours is no crash, even when the program ends with an error', async () => {
  const house = new Harness()
  for (let number = 0; number < 8; number += 1) {
    const process = await house.ready()
    process.obeys = false
    const stopped = house.supervisor.operations.stop(alice)
    process.exit({ code: 143 })
    expect(await stopped).toMatchObject({ phase: 'asleep', nextAttemptAt: null })
  }
})

test('restart resolves with a new process, and requests meanwhile wait for it', async () => {
  const house = new Harness()
  const lease = await house.leased()
  const restarted = house.supervisor.operations.restart(alice)
  const request = house.request()
  await house.clock.advance(1_000)
  expect(house.starts()).toBe(1)
  lease.release()
  await waking(house)
  expect(await restarted).toMatchObject({ phase: 'ready', pid: house.process().pid, restarts: 0 })
  expect(house.starts()).toBe(2)
  expect(fateOf(request)).toBe('served')
})

test('restart forgives crashes and closes the breaker', async () => {
  const house = new Harness()
  await house.crashUntilLeftAlone()
  const restarted = house.supervisor.operations.restart(alice)
  await waking(house)
  expect(await restarted).toMatchObject({ phase: 'ready' })
  expect(house.state.breakers().size).toBe(0)
  house.process().exit({ code: 1 })
  await settled()
  expect(house.phase()).toBe('backoff')
})

test('enable closes the breaker', async () => {
  const house = new Harness()
  await house.crashUntilLeftAlone()
  expect(await house.supervisor.operations.enable(alice)).toMatchObject({ phase: 'asleep' })
  expect(house.state.breakers().size).toBe(0)
  house.request()
  await settled()
  expect(house.phase()).toBe('starting')
})

test('disable during a start ends it and refuses who waited', async () => {
  const house = new Harness()
  const request = house.request()
  await settled()
  expect(await house.supervisor.operations.disable(alice)).toMatchObject({ phase: 'disabled' })
  expect(fateOf(request)).toBe('disabled')
  expect(house.alive()).toBe(0)
})

test('enable while a disabled instance still ends leaves it asleep, not disabled', async () => {
  const house = new Harness()
  const process = await house.ready()
  process.obeys = false
  const disabled = house.supervisor.operations.disable(alice)
  await settled()
  expect(await house.supervisor.operations.enable(alice)).toMatchObject({ phase: 'stopping' })
  process.exit({})
  expect(await disabled).toMatchObject({ phase: 'asleep' })
})

test('an order that cannot be written to the state changes nothing', async () => {
  const house = new Harness({
    state: {
      ...temporaryState(),
      setDisabled: () => {
        throw new Error('the disk is full')
      },
    },
  })
  const process = await house.ready()
  await expect(house.supervisor.operations.disable(alice)).rejects.toThrowError('the disk is full')
  expect(house.phase()).toBe('ready')
  expect(process.orders).toEqual([])
})

test('a breaker that cannot be written to the state still works, and the log says so', async () => {
  const house = new Harness({
    state: {
      ...temporaryState(),
      setBreaker: () => {
        throw new Error('the disk is full')
      },
    },
  })
  await house.crashUntilLeftAlone()
  expect(house.phase()).toBe('crashlooped')
  expect(house.lines).toContainEqual(
    expect.objectContaining({ level: 'error', message: 'could not write the breaker to the state' }),
  )
})

test('an added instance is served at once and known after a restart', async () => {
  const state = temporaryState()
  const house = new Harness({ state })
  expect(house.supervisor.isKnown('notes', 'carol')).toBe(false)
  expect(await house.supervisor.operations.add(carol)).toMatchObject({ phase: 'asleep', source: 'added' })
  expect(house.supervisor.isKnown('notes', 'carol')).toBe(true)
  await house.leased('notes:carol')
  expect(new Harness({ state }).status('notes:carol')).toMatchObject({ source: 'added' })
})

test('add refuses what is there, what has no service, and what is no id', async () => {
  const { operations } = new Harness().supervisor
  await expect(operations.add(alice)).rejects.toMatchObject({ code: 'already_exists' })
  await operations.add(carol)
  await expect(operations.add(carol)).rejects.toMatchObject({ code: 'already_exists' })
  await expect(operations.add({ service: 'shop', id: 'main' })).rejects.toMatchObject({ code: 'unknown_service' })
  await expect(operations.add({ service: 'notes', id: '../etc' })).rejects.toMatchObject({ code: 'invalid_name' })
})

test('orders for what is not there name it', async () => {
  const { operations } = new Harness().supervisor
  for (const order of [operations.wake, operations.stop, operations.restart, operations.enable, operations.disable])
    await expect(order(carol)).rejects.toMatchObject({
      code: 'unknown_instance',
      message: 'there is no instance notes:carol',
    })
  expect(() => operations.status(carol)).toThrowError('there is no instance notes:carol')
  await expect(operations.remove(carol, { purge: true })).rejects.toMatchObject({ code: 'unknown_instance' })
})

test('remove stops and forgets an added instance, and its data stays', async () => {
  const house = new Harness()
  const range = { first: 700_000, last: 700_009 }
  await house.supervisor.operations.add(carol)
  const uid = house.state.uidFor('notes:carol', range)
  await house.ready('notes:carol')
  expect(await house.supervisor.operations.remove(carol, { purge: false })).toEqual({
    purged: false,
    dataDir: '/data/carol',
  })
  expect(house.alive('notes:carol')).toBe(0)
  expect(house.purged).toEqual([])
  expect(house.supervisor.isKnown('notes', 'carol')).toBe(false)
  expect(house.state.uidFor('notes:carol', range)).toBe(uid)
  const request = house.request('notes:carol')
  await settled()
  expect(fateOf(request)).toBe('unavailable')
})

test('remove with purge removes the data only when nothing runs, and refuses requests meanwhile', async () => {
  let purge = (): void => undefined
  const house = new Harness({ purge: () => new Promise((resolve) => (purge = resolve)) })
  await house.supervisor.operations.add(carol)
  const process = await house.ready('notes:carol')
  process.obeys = false
  const removed = house.supervisor.operations.remove(carol, { purge: true })
  await settled()
  const request = house.request('notes:carol')
  await settled()
  expect(fateOf(request)).toBe('stopped')
  await expect(house.supervisor.operations.wake(carol)).rejects.toMatchObject({ code: 'busy' })
  await expect(house.supervisor.operations.add(carol)).rejects.toMatchObject({ code: 'busy' })
  process.exit({})
  await settled()
  expect(house.purged).toEqual([])
  purge()
  expect(await removed).toEqual({ purged: true, dataDir: '/data/carol' })
  expect(house.purged).toEqual(['notes:carol'])
  expect(house.state.addedInstances()).toEqual([])
  expect(house.state.disabledInstances()).toEqual([])
})

test('a purged instance gives back its uid, and leaves no other trace', async () => {
  const house = new Harness()
  const range = { first: 700_000, last: 700_000 }
  await house.supervisor.operations.add(carol)
  house.state.uidFor('notes:carol', range)
  await house.supervisor.operations.remove(carol, { purge: true })
  expect(house.state.uidFor('notes:dave', range)).toBe(700_000)
})

test('a request cannot wake an instance of an open service while its data is being removed', async () => {
  let purge = (): void => undefined
  const house = new Harness({ rules: { open: true }, purge: () => new Promise((resolve) => (purge = resolve)) })
  await house.ready('notes:stranger')
  const removed = house.supervisor.operations.remove(nameOf('notes:stranger'), { purge: true })
  await settled()
  const request = house.request('notes:stranger')
  await settled()
  expect(fateOf(request)).toBe('stopped')
  expect(house.starts('notes:stranger')).toBe(1)
  purge()
  await removed
  await house.leased('notes:stranger')
})

test('a purge that fails leaves the instance disabled, so that nothing runs on half of its data, and can be tried again', async () => {
  let fails = true
  const house = new Harness({
    purge: async () => {
      if (fails) throw new Error('permission denied')
    },
  })
  await house.supervisor.operations.add(carol)
  await expect(house.supervisor.operations.remove(carol, { purge: true })).rejects.toThrowError('permission denied')
  expect(house.phase('notes:carol')).toBe('disabled')
  expect(house.state.disabledInstances()).toEqual(['notes:carol'])
  fails = false
  await house.supervisor.operations.remove(carol, { purge: true })
  expect(house.purged).toEqual(['notes:carol'])
  await house.supervisor.operations.add(carol)
  expect(house.phase('notes:carol')).toBe('asleep')
})

test('remove of a declared instance names the file it stands in, and ends nothing', async () => {
  const house = new Harness()
  const process = await house.ready()
  await expect(house.supervisor.operations.remove(alice, { purge: true })).rejects.toMatchObject({
    message: 'notes:alice is declared in /etc/tenement/tenement.toml',
    fix: expect.stringContaining('[instances] in /etc/tenement/tenement.toml'),
  })
  expect(process.orders).toEqual([])
  expect(house.purged).toEqual([])
})

test('restart of an instance that sleeps starts it once', async () => {
  const house = new Harness()
  const woken = house.supervisor.operations.restart(alice)
  await waking(house)
  expect(await woken).toMatchObject({ phase: 'ready', lastStop: null })
  expect(house.starts()).toBe(1)
})

const filtered = (over: ConstructorParameters<typeof Harness>[0] = {}) => new Harness({ ...over, seccomp: 'default' })

test('trace names the start it begins, and takes the order back once the start is over', async () => {
  const house = filtered()
  expect(await house.supervisor.operations.trace(alice, { restart: false })).toEqual({ run: 'traced notes:alice' })
  await settled()
  expect(house.starts()).toBe(1)
  expect(house.untraced).toEqual([])
  house.process().exit({ code: 1 })
  await settled()
  expect(house.untraced).toEqual(['notes:alice'])
})

test('trace of one that runs is refused, unless it is to be restarted', async () => {
  const house = filtered()
  await house.ready()
  await expect(house.supervisor.operations.trace(alice, { restart: false })).rejects.toMatchObject({
    code: 'busy',
    message: 'notes:alice is ready, and a trace begins with the start',
    fix: '"tenement trace notes:alice --restart" stops it first',
  })
  expect(house.starts()).toBe(1)
  await house.supervisor.operations.trace(alice, { restart: true })
  await settled()
  expect(house.starts()).toBe(2)
})

test('trace of one that is disabled, unknown, or whose calls nobody filters is refused', async () => {
  const house = filtered()
  await house.supervisor.operations.disable(alice)
  const traced = (name: typeof alice, from = house) => from.supervisor.operations.trace(name, { restart: true })
  await expect(traced(alice)).rejects.toMatchObject({ code: 'busy', fix: '"tenement enable notes:alice"' })
  await expect(traced(carol)).rejects.toMatchObject({ code: 'unknown_instance' })
  await expect(traced(alice, new Harness())).rejects.toMatchObject({
    code: 'start_failed',
    message: expect.stringContaining('filters no system calls'),
  })
})
