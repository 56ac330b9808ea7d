import { join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'
import { expect, test } from 'vitest'
import { schemaVersion, tables } from '../../../src/state/schema.ts'
import { openState } from '../../../src/state/state.ts'
import { temporaryFolder } from './folder.ts'

test('the database of an older tenement is brought forward, and keeps what it holds', () => {
  const directory = temporaryFolder()
  const file = join(directory, 'state.db')
  const older = new DatabaseSync(file)
  older.exec(
    `${tables} INSERT INTO disabled VALUES ('notes:alice'); INSERT INTO uids VALUES (700000, 'notes:alice', NULL)`,
  )
  older.close()
  const state = openState(directory)
  state.setPaused('notes:bob', true)
  expect([state.disabledInstances(), state.pausedInstances()]).toEqual([['notes:alice'], ['notes:bob']])
  expect(state.uidFor('notes:alice', { first: 700_000, last: 700_009 })).toBe(700_000)
  state.close()
  const forward = new DatabaseSync(file)
  expect(forward.prepare('PRAGMA user_version').get()).toEqual({ user_version: schemaVersion })
  forward.close()
})

test('a pause is there after the database was closed and opened, and is forgotten with its instance', () => {
  const directory = temporaryFolder()
  const first = openState(directory)
  first.setPaused('notes:alice', true)
  first.setPaused('notes:bob', true)
  first.setPaused('notes:bob', false)
  first.close()
  const second = openState(directory)
  expect(second.pausedInstances()).toEqual(['notes:alice'])
  second.forgetInstance('notes:alice')
  expect(second.pausedInstances()).toEqual([])
  second.close()
})
