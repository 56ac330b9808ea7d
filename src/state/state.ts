// What tenement must remember when it starts again: added instances, who is disabled or paused, open breakers, whose uid is whose.
// Calls are synchronous and short: a change is on its way to the disk when the call returns. Nothing here is read on the
// path of a request. Instances are 'service:id' texts; whether such an instance exists is the supervisor's question.
import { join } from 'node:path'
import { closeDatabase, type Database, openDatabase } from './database.ts'
import { createUids, type Uids } from './uids.ts'
import { usingState } from './unusable.ts'

/** An open breaker: how often it opened in a row, and from when on a request may try again (milliseconds since the epoch). */
export interface Breaker {
  readonly opens: number
  readonly halfOpenAtMs: number
}

/** Every call throws 'state_unusable' when the database cannot be read or written. */
export interface State extends Uids {
  addedInstances(): readonly string[]
  addInstance(instance: string): void
  disabledInstances(): readonly string[]
  setDisabled(instance: string, isDisabled: boolean): void
  pausedInstances(): readonly string[]
  setPaused(instance: string, isPaused: boolean): void
  breakers(): ReadonlyMap<string, Breaker>
  /** Undefined closes the breaker. */
  setBreaker(instance: string, breaker: Breaker | undefined): void
  /** Forgets everything but the uid, which stays as long as there may be data. */
  forgetInstance(instance: string): void
  close(): void
}

const texts = (rows: readonly unknown[]): string[] =>
  rows.flatMap((row) =>
    typeof row === 'object' && row !== null && 'instance' in row && typeof row.instance === 'string'
      ? [row.instance]
      : [],
  )

const breakerIn = (row: unknown): readonly [string, Breaker][] => {
  if (typeof row !== 'object' || row === null) return []
  if (!('instance' in row) || !('opens' in row) || !('half_open_at_ms' in row)) return []
  const { instance, opens, half_open_at_ms: halfOpenAtMs } = row
  if (typeof instance !== 'string' || typeof opens !== 'number' || typeof halfOpenAtMs !== 'number') return []
  return [[instance, { opens, halfOpenAtMs }]]
}

/** Puts an instance into a table of names, or takes it out. */
const mark = (database: Database, table: 'disabled' | 'paused', instance: string, isMarked: boolean): void => {
  const change = isMarked
    ? `INSERT OR IGNORE INTO ${table} (instance) VALUES (?)`
    : `DELETE FROM ${table} WHERE instance = ?`
  database.prepare(change).run(instance)
}

const connect = (database: Database): State => ({
  ...createUids(database),
  addedInstances: () => texts(database.prepare('SELECT instance FROM added ORDER BY instance').all()),
  addInstance(instance) {
    database.prepare('INSERT OR IGNORE INTO added (instance) VALUES (?)').run(instance)
  },
  disabledInstances: () => texts(database.prepare('SELECT instance FROM disabled ORDER BY instance').all()),
  setDisabled: (instance, isDisabled) => mark(database, 'disabled', instance, isDisabled),
  pausedInstances: () => texts(database.prepare('SELECT instance FROM paused ORDER BY instance').all()),
  setPaused: (instance, isPaused) => mark(database, 'paused', instance, isPaused),
  breakers: () =>
    new Map(database.prepare('SELECT instance, opens, half_open_at_ms FROM breakers').all().flatMap(breakerIn)),
  setBreaker(instance, breaker) {
    if (breaker === undefined) database.prepare('DELETE FROM breakers WHERE instance = ?').run(instance)
    else
      database
        .prepare('INSERT OR REPLACE INTO breakers (instance, opens, half_open_at_ms) VALUES (?, ?, ?)')
        .run(instance, breaker.opens, Math.round(breaker.halfOpenAtMs))
  },
  forgetInstance(instance) {
    database.exec('BEGIN IMMEDIATE')
    try {
      for (const table of ['added', 'disabled', 'paused', 'breakers'])
        database.prepare(`DELETE FROM ${table} WHERE instance = ?`).run(instance)
      database.exec('COMMIT')
    } catch (thrown) {
      // A full disk has SQLite roll back by itself, and a second rollback would hide the first error.
      if (database.isTransaction) database.exec('ROLLBACK')
      throw thrown
    }
  },
  close: () => closeDatabase(database),
})

/** Opens `<directory>/state.db` and holds it alone; throws 'state_unusable' with the path, the reason and what to do. */
export const openState = (directory: string): State => {
  const file = join(directory, 'state.db')
  const state = connect(openDatabase(file))
  const guard =
    <Arguments extends readonly unknown[], Result>(call: (...given: Arguments) => Result) =>
    (...given: Arguments): Result =>
      usingState(file, () => call(...given))
  return {
    uidFor: guard(state.uidFor),
    freeUid: guard(state.freeUid),
    addedInstances: guard(state.addedInstances),
    addInstance: guard(state.addInstance),
    disabledInstances: guard(state.disabledInstances),
    setDisabled: guard(state.setDisabled),
    pausedInstances: guard(state.pausedInstances),
    setPaused: guard(state.setPaused),
    breakers: guard(state.breakers),
    setBreaker: guard(state.setBreaker),
    forgetInstance: guard(state.forgetInstance),
    close: guard(state.close),
  }
}
