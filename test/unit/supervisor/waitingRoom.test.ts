import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WaitingRoom } from '../../../src/supervisor/waitingRoom.ts'

/** A room of three, and what becomes of those who come one after the other: each is a client, named by a letter; `-` is not counted. */
const fatesOf = (comers: string): string[] => {
  const room = new WaitingRoom(3)
  const fates: string[] = []
  for (const [at, comer] of [...comers].entries()) {
    fates[at] = 'waits'
    const place = room.take(comer === '-' ? undefined : comer, () => {
      fates[at] = 'turned out'
    })
    if (place === undefined) fates[at] = 'refused'
  }
  return fates
}

test.each([
  ['where there is room nobody is turned out', 'aab', ['waits', 'waits', 'waits']],
  ['who holds all places is refused another', 'aaaa', ['waits', 'waits', 'waits', 'refused']],
  ['who holds none takes the newest place of who holds most', 'aaab', ['waits', 'waits', 'turned out', 'waits']],
  ['it is the newest place of that client, not of all', 'aabc', ['waits', 'turned out', 'waits', 'waits']],
  ['who would hold more than who gives up a place is refused', 'aabb', ['waits', 'waits', 'waits', 'refused']],
  ['where all hold the same, those who wait go on waiting', 'abcd', ['waits', 'waits', 'waits', 'refused']],
  ['one who is not counted takes a place like any other', 'aaa-', ['waits', 'waits', 'turned out', 'waits']],
  ['those who are not counted give up nothing', '---a', ['waits', 'waits', 'waits', 'refused']],
  ['those who are not counted do not add up', 'aa--', ['waits', 'turned out', 'waits', 'waits']],
  ['and turn out nobody who has one place alone', 'a---', ['waits', 'waits', 'waits', 'refused']],
])('%s', (_, comers, fates) => {
  expect(fatesOf(comers)).toEqual(fates)
})

test('a place that was given back is free once, whoever gives it back again', () => {
  const room = new WaitingRoom(2)
  const giveBack = room.take('a', () => undefined)
  room.take('a', () => undefined)
  giveBack?.()
  giveBack?.()
  expect(room.taken).toBe(1)
  expect(room.take('a', () => undefined)).toBeDefined()
  expect(room.take('a', () => undefined)).toBeUndefined()
})

test('one who was turned out gives nothing back', () => {
  const room = new WaitingRoom(2)
  room.take('a', () => undefined)
  const giveBack = room.take('a', () => undefined)
  room.take('b', () => undefined)
  giveBack?.()
  expect(room.taken).toBe(2)
})

test('one who has left is not turned out, wherever he stood', () => {
  for (const leaver of [0, 1, 2, 3, 4]) {
    const room = new WaitingRoom(5)
    const turnedOut: number[] = []
    const givers = [0, 1, 2, 3, 4].map((number) => room.take('a', () => turnedOut.push(number)))
    givers[leaver]?.()
    for (const client of ['b', 'c', 'd', 'e']) expect(room.take(client, () => undefined)).toBeDefined()
    const rest = [0, 1, 2, 3, 4].filter((number) => number !== leaver)
    expect(turnedOut).toEqual(rest.slice(1).reverse())
    expect(room.taken).toBe(5)
  }
})

/** What a room must do, as plainly as it can be said: a list of those who wait, oldest first. */
interface Waiting {
  readonly client: string | undefined
  readonly number: number
}

const countOf = (waiting: readonly Waiting[], client: string | undefined): number =>
  client === undefined ? 0 : waiting.filter((one) => one.client === client).length

const client = fc.constantFrom('a', 'a', 'a', 'b', 'b', 'c', 'd', undefined)
const step = fc.oneof({ weight: 3, arbitrary: fc.record({ client }) }, fc.record({ leaves: fc.nat() }))

test('a full room is shared fairly, whoever comes and goes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 120, size: 'max' }), (places, steps) => {
      const room = new WaitingRoom(places)
      const givers = new Map<number, () => void>()
      let waiting: Waiting[] = []
      const drop = (number: number): void => {
        waiting = waiting.filter((one) => one.number !== number)
      }
      for (const [number, one] of steps.entries()) {
        if ('leaves' in one) {
          const leaver = waiting[one.leaves % Math.max(waiting.length, 1)]
          if (leaver === undefined) continue
          givers.get(leaver.number)?.()
          drop(leaver.number)
        } else {
          const before = waiting
          const most = Math.max(0, ...before.map((other) => countOf(before, other.client)))
          const giver = room.take(one.client, () => drop(number))
          const gone = before.filter((other) => !waiting.includes(other))
          const isFull = before.length === places
          const mayPush = most > countOf(before, one.client) + 1
          expect(giver !== undefined).toBe(!isFull || mayPush)
          expect(gone.length).toBe(isFull && mayPush ? 1 : 0)
          for (const { client: of, number: which } of gone) {
            expect(countOf(before, of)).toBe(most)
            expect(before.filter((other) => other.client === of).at(-1)?.number).toBe(which)
          }
          if (giver !== undefined) {
            givers.set(number, giver)
            waiting.push({ client: one.client, number })
          }
        }
        expect(room.taken).toBe(waiting.length)
        expect(room.clients).toBe(new Set(waiting.flatMap((other) => other.client ?? [])).size)
      }
      for (const { number } of waiting) givers.get(number)?.()
      expect([room.taken, room.clients]).toEqual([0, 0])
    }),
  )
})
