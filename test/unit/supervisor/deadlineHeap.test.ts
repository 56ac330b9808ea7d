import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DeadlineHeap } from '../../../src/supervisor/deadlineHeap.ts'

const change = fc.oneof(
  fc.record({ set: fc.integer({ min: 0, max: 15 }), deadlineMs: fc.integer({ min: 0, max: 50 }) }),
  fc.record({ drop: fc.integer({ min: 0, max: 15 }) }),
)

test('the soonest deadline is always first, whatever was added, moved or taken out', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const heap = new DeadlineHeap<number>()
      const known = new Map<number, number>()
      for (const one of changes) {
        if ('set' in one) {
          heap.set(one.set, one.deadlineMs)
          known.set(one.set, one.deadlineMs)
        } else {
          heap.delete(one.drop)
          known.delete(one.drop)
        }
        expect(heap.size).toBe(known.size)
        expect(heap.first?.deadlineMs).toBe(known.size === 0 ? undefined : Math.min(...known.values()))
        if (heap.first !== undefined) expect(known.get(heap.first.item)).toBe(heap.first.deadlineMs)
      }
    }),
  )
})
