import { expect, test } from 'vitest'
import { FairQueue } from '../../../src/supervisor/fairQueue.ts'

const takeAll = (queue: FairQueue<string>): string[] => {
  const taken: string[] = []
  for (let item = queue.next(); item !== undefined; item = queue.next()) taken.push(item)
  return taken
}

test('services take turns, and within a service who came first goes first', () => {
  const queue = new FairQueue<string>()
  for (const item of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']) queue.add(item.charAt(0), item)
  expect(takeAll(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
})

test('a service that comes later waits one turn, not for everyone before it', () => {
  const queue = new FairQueue<string>()
  for (let number = 0; number < 500; number += 1) queue.add('a', `a${number}`)
  queue.next()
  queue.add('b', 'b0')
  expect([queue.next(), queue.next()]).toContain('b0')
})

test('what left the queue does not come out of it, and counts no more', () => {
  const queue = new FairQueue<string>()
  queue.add('a', 'a1')
  queue.add('a', 'a1')
  queue.add('b', 'b1')
  queue.delete('a', 'a1')
  queue.delete('a', 'a1')
  expect(queue.size).toBe(1)
  expect([...queue]).toEqual(['b1'])
  expect(takeAll(queue)).toEqual(['b1'])
  expect(queue.size).toBe(0)
})

test('how many come before one is how many do come before it', () => {
  const names = ['a1', 'b1', 'a2', 'c1', 'a3', 'c2', 'c3', 'c4', 'b2']
  for (const turns of [0, 1, 2, 3, 4]) {
    const queue = new FairQueue<string>()
    for (const item of names) queue.add(item.charAt(0), item)
    for (let turn = 0; turn < turns; turn += 1) queue.next()
    const told = [...queue].map((item) => [item, queue.ahead(item.charAt(0), item)] as const)
    const order = takeAll(queue)
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(order.map((item, place) => [item, place])))
  }
})
