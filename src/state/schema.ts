// The tables of the state database and the numbers in its header that say whose file it is and of which shape.
// A change of shape raises `schemaVersion` and adds a step that brings an older file forward; a file is never read by guess.
// Tables of later versions stand in their steps alone: a new file is a first one brought forward.

/** 'tnmt' in the file header (PRAGMA application_id): a database of another program is told apart before it is touched. */
export const applicationId = 0x746e_6d74

/** Shape of the tables (PRAGMA user_version). */
export const schemaVersion = 2

/**
 * `uids` keeps a row for every uid that was ever given out: `instance` is null once its data was purged, and `freed`
 * then tells the order, so that the uid purged longest ago is the first to be given out again.
 */
export const tables = `
  CREATE TABLE added (instance TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE disabled (instance TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE TABLE breakers (
    instance TEXT PRIMARY KEY,
    opens INTEGER NOT NULL CHECK (opens >= 1),
    half_open_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE uids (
    uid INTEGER PRIMARY KEY CHECK (uid > 0),
    instance TEXT UNIQUE,
    freed INTEGER UNIQUE,
    CHECK ((instance IS NULL) = (freed IS NOT NULL))
  ) STRICT;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = 1;
`

/** By version: what makes a file of the version before into one of it. */
const steps: ReadonlyMap<number, string> = new Map([
  [2, 'CREATE TABLE paused (instance TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;'],
])

/** The statements that bring a file of one version forward, in their order; none for one of `schemaVersion`. */
export const stepsFrom = (version: number): string =>
  [...steps]
    .filter(([to]) => to > version)
    .map(([to, step]) => `${step} PRAGMA user_version = ${to};`)
    .join(' ')
