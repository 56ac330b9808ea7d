import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { abortsWithin } from '../../src/abortsWithin.ts'
import { collectGarbage } from '../helpers/collectGarbage.ts'

const hour = 3_600_000

test('ends when any of its signals aborts, or was aborted before', async () => {
  const [one, other] = [new AbortController(), new AbortController()]
  const waiting = abortsWithin([one.signal, other.signal], hour)
  other.abort()
  await waiting
  await abortsWithin([one.signal, other.signal], hour)
  expect(one.signal.aborted).toBe(false)
})

test('ends when its time is over, though memory is collected meanwhile', async () => {
  const waiting = abortsWithin([new AbortController().signal], 50)
  collectGarbage()
  await delay(10)
  collectGarbage()
  await waiting
})

test('leaves no timer behind that keeps a program from ending', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  await abortsWithin([AbortSignal.abort()], hour)
  expect(timers()).toBe(before)
})
