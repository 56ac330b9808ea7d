import { expect, test } from 'vitest'
import { fateOf, Harness, nameOf, settled, temporaryState } from '../harness.ts'

const alice = nameOf('notes:alice')

const listening = async (house: Harness): Promise<void> => {
  await settled()
  house.process().isListening = true
  await house.clock.advance(100)
}

test('pausing stops an instance, and resolves when nothing of it runs', async () => {
  const house = new Harness()
  await house.ready()
  expect(await house.supervisor.operations.pause(alice)).toMatchObject({ phase: 'paused', pid: null })
  expect(house.alive()).toBe(0)
  expect(house.why()).toMatchObject({
    stopped: { cause: 'operator', told: 'paused by an operator' },
    next: { step: 'resume' },
  })
})

test('a request in progress is finished before a pause stops the instance, and one that comes meanwhile waits', async () => {
  const house = new Harness()
  const lease = await house.leased()
  const paused = house.supervisor.operations.pause(alice)
  const late = house.request()
  await house.clock.advance(5_000)
  expect(house.phase()).toBe('draining')
  lease.release()
  await paused
  expect([house.phase(), fateOf(late), house.starts()]).toEqual(['paused', 'waiting', 1])
})

test('a request to a paused instance waits for hold_timeout, starts nothing, and is refused as paused', async () => {
  const house = new Harness({ holdTimeoutMs: 30_000 })
  await house.supervisor.operations.pause(alice)
  const request = house.request()
  await house.clock.advance(29_000)
  expect([fateOf(request), house.starts(), house.why().waiting]).toEqual(['waiting', 0, 1])
  await house.clock.advance(1_100)
  expect([fateOf(request), house.starts()]).toEqual(['paused', 0])
})

test('resuming starts a paused instance for those who wait, and none for whom nobody does', async () => {
  const house = new Harness()
  await house.supervisor.operations.pause(alice)
  expect(await house.supervisor.operations.resume(alice)).toMatchObject({ phase: 'asleep' })
  await house.supervisor.operations.pause(alice)
  const request = house.request()
  await house.supervisor.operations.resume(alice)
  await listening(house)
  expect([fateOf(request), house.starts()]).toEqual(['served', 1])
})

test('a start under way is ended by a pause, and those who wait for it go on waiting', async () => {
  const house = new Harness()
  const request = house.request()
  await settled()
  await house.supervisor.operations.pause(alice)
  expect([house.phase(), fateOf(request)]).toEqual(['paused', 'waiting'])
  await house.supervisor.operations.resume(alice)
  await listening(house)
  expect(fateOf(request)).toBe('served')
})

test('no command starts a paused instance, and the refusal names the one that does', async () => {
  const house = new Harness()
  await house.supervisor.operations.pause(alice)
  for (const order of ['wake', 'restart'] as const)
    await expect(house.supervisor.operations[order](alice)).rejects.toMatchObject({
      code: 'start_failed',
      message: 'notes:alice is paused for maintenance',
      fix: '"tenement resume notes:alice"',
    })
  expect(house.starts()).toBe(0)
})

test('an operator who waits for an instance is told at once that another has paused it', async () => {
  const house = new Harness()
  const woken = house.supervisor.operations.wake(alice)
  const told = expect(woken).rejects.toMatchObject({ message: 'notes:alice is paused for maintenance' })
  await settled()
  await house.supervisor.operations.pause(alice)
  await told
})

test('a paused instance is paused after a restart of the server, also one with autostart', async () => {
  const state = temporaryState()
  await new Harness({ state }).supervisor.operations.pause(alice)
  const later = new Harness({ state, rules: { autostart: true } })
  later.supervisor.autostart()
  await settled()
  expect([later.phase(), later.starts()]).toEqual(['paused', 0])
  await later.supervisor.operations.resume(alice)
  expect(new Harness({ state }).phase()).toBe('asleep')
})

test('what is never put to sleep is started again by the end of its pause', async () => {
  const house = new Harness({ rules: { autostart: true, idleTimeoutMs: undefined } })
  await house.supervisor.operations.pause(alice)
  await house.supervisor.operations.resume(alice)
  await settled()
  expect(house.phase()).toBe('starting')
})

test('disabling comes before a pause, and enabling leads back to it', async () => {
  const house = new Harness()
  await house.supervisor.operations.pause(alice)
  const waiting = house.request()
  await house.supervisor.operations.disable(alice)
  await settled()
  expect([house.phase(), fateOf(waiting)]).toEqual(['disabled', 'disabled'])
  await house.supervisor.operations.enable(alice)
  expect(house.phase()).toBe('paused')
})

test('a pause forgives no crashes: what was left alone before it is left alone after it', async () => {
  const house = new Harness()
  await house.crashUntilLeftAlone()
  await house.supervisor.operations.pause(alice)
  const request = house.request()
  await settled()
  expect(fateOf(request)).toBe('waiting')
  await house.supervisor.operations.resume(alice)
  await settled()
  expect([house.phase(), fateOf(request)]).toEqual(['crashlooped', 'crashloop'])
})

test('the queue of a paused instance has the bound of every queue', async () => {
  const house = new Harness({ rules: { queueMax: 2 } })
  await house.supervisor.operations.pause(alice)
  const requests = [house.request(), house.request(), house.request()]
  await settled()
  expect(requests.map(fateOf)).toEqual(['waiting', 'waiting', 'queue_full'])
})
