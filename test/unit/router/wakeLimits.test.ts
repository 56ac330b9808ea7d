import { expect, test } from 'vitest'
import { createWakeLimits, type WakeLimits } from '../../../src/router/wakeLimits.ts'

const clock = { ms: 1_000 }
const limits = (perMinute: number, most?: number): WakeLimits => createWakeLimits(perMinute, () => clock.ms, most)

test('a client may wake so many different instances in a minute, and the same one as often as it likes', () => {
  const wakes = limits(3)
  for (const instance of ['a', 'b', 'c', 'a', 'b', 'c', 'a']) expect(wakes.check('client', instance)).toBeUndefined()
  expect(wakes.check('client', 'd')).toMatchObject({ forMs: 60_000 })
  expect(wakes.check('another', 'd')).toBeUndefined()
})

test('a place is free again when the wake that took it is a minute old, and no sooner', () => {
  const wakes = limits(2)
  wakes.check('client', 'a')
  clock.ms += 10_000
  wakes.check('client', 'b')
  clock.ms += 49_999
  expect(wakes.check('client', 'c')).toMatchObject({ forMs: 1 })
  clock.ms += 1
  expect(wakes.check('client', 'c')).toBeUndefined()
  expect(wakes.check('client', 'd')).toMatchObject({ forMs: 10_000 })
})

test('being refused does not make the time longer, and is new once', () => {
  const wakes = limits(1)
  wakes.check('client', 'a')
  clock.ms += 59_000
  expect(wakes.check('client', 'b')).toEqual({ forMs: 1_000, isNew: true })
  expect(wakes.check('client', 'b')).toEqual({ forMs: 1_000, isNew: false })
  clock.ms += 1_000
  expect(wakes.check('client', 'b')).toBeUndefined()
  expect(wakes.check('client', 'a')).toMatchObject({ isNew: true })
})

test('what is remembered is bounded, whatever addresses somebody has, and is gone after a minute', () => {
  const wakes = limits(10, 1_000)
  for (let client = 0; client < 5_000; client += 1)
    for (let instance = 0; instance < 10; instance += 1) wakes.check(`client-${client}`, `i-${instance}`)
  expect(wakes.size).toBeLessThanOrEqual(1_000)
  expect(wakes.check('client-4999', 'another')).toBeDefined()
  clock.ms += 60_000
  wakes.check('client', 'a')
  expect(wakes.size).toBe(1)
})
