// Opens the state database, or makes it where there is none. After this the file is known to be tenement's, whole, of a
// known shape, and held by this process alone.
// A new file gets its tables under another name and is then linked into place: so a file that exists but is empty was
// emptied by somebody, and is refused like any other damage instead of being filled afresh.
import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'
import { messageOf } from '../errors.ts'
import { applicationId, schemaVersion, stepsFrom, tables } from './schema.ts'
import { stateUnusable, usingState } from './unusable.ts'

export type Database = InstanceType<typeof DatabaseSync>

/** A server that replaces a killed one may find the lock for the moment in which the kernel still buries the other. */
const lockWaitMs = 1_000

/** The number a PRAGMA answers with. */
const pragma = (database: Database, name: string): unknown =>
  Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]

/** Without it a power cut could take back the name of the new file after its first uids were given out. */
const syncFolder = (folder: string): void => {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

const makeDatabase = (file: string): void => {
  const draft = `${file}.${process.pid}.new`
  const leftovers = ['', '-journal', '-wal', '-shm'].map((ending) => draft + ending)
  try {
    for (const leftover of leftovers) rmSync(leftover, { force: true })
    // SQLite makes files readable by everyone; made here first, the file and the log beside it are the server's alone.
    closeSync(openSync(draft, 'wx', 0o600))
    const database = new DatabaseSync(draft)
    try {
      database.exec(`PRAGMA synchronous = FULL; BEGIN; ${tables} ${stepsFrom(1)} COMMIT; PRAGMA journal_mode = WAL`)
    } finally {
      database.close()
    }
    linkSync(draft, file)
    syncFolder(dirname(file))
  } finally {
    for (const leftover of leftovers) rmSync(leftover, { force: true })
  }
}

/** What the system reports while a folder or file is made: a full disk, a missing permission, a read-only mount. */
const makeOrRefuse = (file: string): void => {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    if (!existsSync(file)) usingState(file, () => makeDatabase(file))
  } catch (thrown) {
    if (!(thrown instanceof Error) || !('code' in thrown) || !('syscall' in thrown)) throw thrown
    const fix = 'make its folder writable for the user tenement runs as, with space left, or set settings.state_dir'
    throw stateUnusable(file, `it cannot be made (${messageOf(thrown)})`, fix, thrown)
  }
}

const refuseForeign = (file: string, database: Database): void => {
  const empty = pragma(database, 'page_count') === 0
  if (empty) throw stateUnusable(file, 'it is damaged (it is empty)', 'stop tenement and restore it from a backup')
  if (pragma(database, 'application_id') !== applicationId)
    throw stateUnusable(file, 'it is the database of another program', 'set settings.state_dir to a folder of its own')
  const version = Number(pragma(database, 'user_version'))
  if (version < 1 || version > schemaVersion)
    throw stateUnusable(
      file,
      `it has format ${version}, and this tenement knows format ${schemaVersion}`,
      'run the version of tenement that wrote it, or a newer one',
    )
}

const refuseDamaged = (file: string, database: Database): void => {
  const found = pragma(database, 'quick_check')
  if (found !== 'ok')
    throw stateUnusable(
      file,
      `it is damaged (${found})`,
      'stop tenement, keep a copy of the file and restore it from a backup',
    )
}

/** Makes a file of an older tenement one of this, as a whole or not at all. */
const bringForward = (database: Database): void => {
  const steps = stepsFrom(Number(pragma(database, 'user_version')))
  if (steps !== '') database.exec(`BEGIN IMMEDIATE; ${steps} COMMIT`)
}

/**
 * Holding the lock keeps out a second server with the same state but another run directory: both would start the same
 * instances on the same data. In WAL mode the lock is taken by the first transaction and then kept.
 *
 * `synchronous = NORMAL` writes without waiting for the disk: after a power cut the last change of a flag or a breaker may
 * be missing, which costs an operator one command. Uids are different; see uids.ts.
 */
const holdAlone = (database: Database): void => {
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  database.exec('BEGIN EXCLUSIVE; COMMIT')
}

/**
 * Lets go of the lock and closes. Closing alone would not do: this binding ends a connection only when its statements are
 * collected as garbage, and until then the lock would bar the next to open the file, even in this process.
 */
export const closeDatabase = (database: Database): void => {
  try {
    database.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM sqlite_schema')
  } finally {
    database.close()
  }
}

/**
 * Opens the database at `file`, making the file and its folder where they are missing.
 * Throws 'state_unusable', leaving the file as it is, when it is damaged, foreign, newer, held elsewhere or unwritable.
 */
export const openDatabase = (file: string): Database => {
  makeOrRefuse(file)
  return usingState(file, () => {
    const database = new DatabaseSync(file, { timeout: lockWaitMs })
    try {
      refuseForeign(file, database)
      refuseDamaged(file, database)
      holdAlone(database)
      bringForward(database)
      return database
    } catch (thrown) {
      database.close()
      throw thrown
    }
  })
}
