import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { openState, type State } from '../../../src/state/state.ts'
import { temporaryFolder } from './folder.ts'

const range = { first: 700_000, last: 700_003 }

const opened = (): State => {
  const state = openState(temporaryFolder())
  onTestFinished(() => state.close())
  return state
}

test('an instance has the same uid at every start, and after a restart', () => {
  const directory = temporaryFolder()
  const first = openState(directory)
  const uid = first.uidFor('notes:alice', range)
  first.uidFor('notes:bob', range)
  expect(first.uidFor('notes:alice', range)).toBe(uid)
  first.close()
  const second = openState(directory)
  expect(second.uidFor('notes:alice', range)).toBe(uid)
  second.close()
})

test('uids are given out from the lowest, and a purged one only when there is no other', () => {
  const state = opened()
  expect(state.uidFor('notes:a', range)).toBe(700_000)
  expect(state.uidFor('notes:b', range)).toBe(700_001)
  state.freeUid('notes:b')
  state.freeUid('notes:a')
  expect(state.uidFor('notes:c', range)).toBe(700_002)
  expect(state.uidFor('notes:d', range)).toBe(700_003)
  expect(state.uidFor('notes:e', range)).toBe(700_001)
  expect(state.uidFor('notes:f', range)).toBe(700_000)
})

test('a full range is an error that names the range and the way out', () => {
  const state = opened()
  for (const id of ['a', 'b', 'c', 'd']) state.uidFor(`notes:${id}`, range)
  expect(() => state.uidFor('notes:e', range)).toThrowError(
    expect.objectContaining({
      code: 'invalid_config',
      message: expect.stringContaining('settings.tenant_uids = "700000-700003" has no uid left for notes:e'),
      fix: expect.stringContaining('widen settings.tenant_uids'),
    }),
  )
})

test('a range that no longer holds the owner of the data is an error, not a new uid', () => {
  const state = opened()
  state.uidFor('notes:a', range)
  expect(() => state.uidFor('notes:a', { first: 800_000, last: 800_009 })).toThrowError(
    expect.objectContaining({ code: 'invalid_config', message: expect.stringContaining('belongs to uid 700000') }),
  )
})

test('a wider range gives out its own lowest number first', () => {
  const state = opened()
  state.uidFor('notes:a', range)
  expect(state.uidFor('notes:b', { first: 699_990, last: 700_003 })).toBe(699_990)
})

test('no two instances with data ever share a uid, whatever is purged in between', () => {
  const step = fc.record({ id: fc.integer({ min: 0, max: 7 }), purge: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const directory = temporaryFolder()
      const state = openState(directory)
      const owners = new Map<string, number>()
      for (const { id, purge } of steps) {
        const instance = `notes:${id}`
        if (purge) {
          state.freeUid(instance)
          owners.delete(instance)
        } else if (owners.has(instance) || owners.size < 4) owners.set(instance, state.uidFor(instance, range))
        expect(new Set(owners.values()).size).toBe(owners.size)
      }
      state.close()
    }),
    { numRuns: 25 },
  )
})
