import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openState, type State } from '../../../src/state/state.ts'
import { temporaryFolder } from './folder.ts'

const reopening = (directory: string): { use<Result>(work: (state: State) => Result): Result } => ({
  use(work) {
    const state = openState(directory)
    try {
      return work(state)
    } finally {
      state.close()
    }
  },
})

const opened = (): State => {
  const state = openState(temporaryFolder())
  onTestFinished(() => state.close())
  return state
}

test('added instances, disabled flags and breakers are there after the database was closed and opened', () => {
  const { use } = reopening(temporaryFolder())
  use((state) => {
    state.addInstance('notes:carol')
    state.addInstance('notes:bob')
    state.setDisabled('notes:bob', true)
    state.setBreaker('notes:carol', { opens: 2, halfOpenAtMs: 1_700_000_000_123.4 })
  })
  use((state) => {
    expect(state.addedInstances()).toEqual(['notes:bob', 'notes:carol'])
    expect(state.disabledInstances()).toEqual(['notes:bob'])
    expect(state.breakers()).toEqual(new Map([['notes:carol', { opens: 2, halfOpenAtMs: 1_700_000_000_123 }]]))
  })
})

test('enabling an instance and closing its breaker leave no trace', () => {
  const state = opened()
  state.setDisabled('notes:bob', true)
  state.setBreaker('notes:bob', { opens: 1, halfOpenAtMs: 5 })
  state.setDisabled('notes:bob', false)
  state.setBreaker('notes:bob', undefined)
  expect(state.disabledInstances()).toEqual([])
  expect(state.breakers().size).toBe(0)
})

test('a breaker that opens again replaces what was known of it', () => {
  const state = opened()
  state.setBreaker('notes:bob', { opens: 1, halfOpenAtMs: 5 })
  state.setBreaker('notes:bob', { opens: 2, halfOpenAtMs: 9 })
  expect(state.breakers().get('notes:bob')).toEqual({ opens: 2, halfOpenAtMs: 9 })
})

test('adding an instance twice and disabling it twice are the same as once', () => {
  const state = opened()
  for (const _ of [1, 2]) {
    state.addInstance('notes:bob')
    state.setDisabled('notes:bob', true)
  }
  expect(state.addedInstances()).toEqual(['notes:bob'])
  expect(state.disabledInstances()).toEqual(['notes:bob'])
})

test('a forgotten instance keeps its uid, since its data may still be there', () => {
  const state = opened()
  const range = { first: 700_000, last: 700_009 }
  const uid = state.uidFor('notes:bob', range)
  state.addInstance('notes:bob')
  state.setDisabled('notes:bob', true)
  state.setBreaker('notes:bob', { opens: 1, halfOpenAtMs: 5 })
  state.forgetInstance('notes:bob')
  expect(state.addedInstances()).toEqual([])
  expect(state.disabledInstances()).toEqual([])
  expect(state.breakers().size).toBe(0)
  expect(state.uidFor('notes:bob', range)).toBe(uid)
})

test('the database and its folder can be read by nobody else', () => {
  const directory = join(temporaryFolder(), 'state')
  openState(directory).close()
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  expect(statSync(join(directory, 'state.db')).mode & 0o777).toBe(0o600)
})
