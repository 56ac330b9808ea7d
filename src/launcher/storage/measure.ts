// Walks a tenant's data directory and says what is in it, one entry at a time, so that the caller decides how long to go on.
// The tree is the tenant's, who may change it meanwhile: each directory is opened below the one before it without following a
// symlink, nothing else is opened at all (a FIFO would block, a device act), and names are bytes, since not all of them are text.
import { closeSync, constants, type Dir, lstatSync, opendirSync, openSync, type Stats } from 'node:fs'

/** What is found in an open directory, which stays open until the next one is asked for. */
export interface Entry {
  readonly directory: number
  readonly name: Buffer
  /** Of the entry itself, also where it is a symlink. */
  readonly stats: Stats
}

/** As the file system counts them: a hole in a file takes none, the rest of a block does. */
export const bytesOf = ({ blocks }: Stats): number => blocks * 512 // stat(2): whatever the file system's block

/** Set where the same file may be met again under another name. */
export const sharedInodeOf = (stats: Stats): number | undefined =>
  stats.nlink > 1 && !stats.isDirectory() ? stats.ino : undefined

/** What cannot be measured, and so is never taken as small. */
export class Unmeasurable extends Error {
  override readonly name = 'Unmeasurable'
}

/** Deeper than any real program's, and few enough descriptors to hold one for each level. */
export const maxDepth = 100

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants

const slash = Buffer.from('/')

/** A path below an open directory, whatever that is called by now (proc(5), /proc/PID/fd). */
export const below = (directory: number, name: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`/proc/self/fd/${directory}`), slash, name])

/** What has gone, or became something else, between its listing and the look at it was not there. */
export const ifThere = <T>(look: () => T): T | undefined => {
  try {
    return look()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(code)) return undefined
    if (code === 'EACCES' || code === 'EPERM') throw new Unmeasurable('a directory in it may not be read')
    throw error
  }
}

// `encoding: 'buffer'` gives names as bytes, which the types of opendir do not say.
const listDirectory = (directory: number): Dir =>
  opendirSync(`/proc/self/fd/${directory}`, { encoding: 'buffer' as BufferEncoding, bufferSize: 128 })

/** Everything below an open directory, each directory before what is in it, without other file systems. Throws Unmeasurable; closes what it opened also when left early. */
export function* entriesBelow(directory: number, device: number, depth = 0): Generator<Entry, void, void> {
  if (depth > maxDepth) throw new Unmeasurable(`directories in it lie more than ${maxDepth} deep`)
  const listing = ifThere(() => listDirectory(directory))
  if (listing === undefined) return
  try {
    for (let next = listing.readSync(); next !== null; next = listing.readSync()) {
      const name = next.name as unknown as Buffer
      const path = below(directory, name)
      const stats = ifThere(() => lstatSync(path))
      if (stats === undefined) continue
      // Only directories tell of another file system: on overlayfs every file has the device of the layer it lies in (overlayfs.rst).
      if (stats.isDirectory() && stats.dev !== device) continue
      yield { directory, name, stats }
      if (stats.isDirectory()) yield* insideOf(path, device, depth)
    }
  } finally {
    listing.closeSync()
  }
}

function* insideOf(path: Buffer, device: number, depth: number): Generator<Entry, void, void> {
  const inner = ifThere(() => openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
  if (inner === undefined) return
  try {
    yield* entriesBelow(inner, device, depth + 1)
  } finally {
    closeSync(inner)
  }
}
