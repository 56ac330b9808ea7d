// A folder somebody wants served, as the detectors look at it: which files it has, and what the small ones say.
// It may hold anything: a file is read only if it is a regular one, and never more of it than source code has.
import { constants } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes of the longest file that is looked into. */
const longestFile = 512 * 1024

export interface Folder {
  /** Its own name. */
  readonly name: string
  /** Names of the files and folders in it, sorted; in a folder below it with `below`. None when that is not there. */
  names(below?: string): Promise<readonly string[]>
  has(path: string): Promise<boolean>
  /** The text of a file; undefined when there is none, or it is too large or no regular file. */
  text(path: string): Promise<string | undefined>
}

const readSmall = async (file: string): Promise<string | undefined> => {
  // O_NONBLOCK: opening a named pipe would otherwise wait for a writer for ever.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const status = await handle.stat()
    return status.isFile() && status.size <= longestFile ? await handle.readFile('utf8') : undefined
  } finally {
    await handle.close()
  }
}

export const openFolder = (path: string, name: string): Folder => ({
  name,
  names: (below = '.') =>
    readdir(join(path, below)).then(
      (names) => names.sort(),
      () => [],
    ),
  has: (file) =>
    stat(join(path, file)).then(
      () => true,
      () => false,
    ),
  text: (file) => readSmall(join(path, file)).catch(() => undefined),
})

/** The first of these that is there. */
export const firstOf = async (folder: Folder, paths: readonly string[]): Promise<string | undefined> => {
  for (const path of paths) if (await folder.has(path)) return path
  return undefined
}

/** Names that stand for themselves in a command: no quotes, spaces or templates. */
export const isPlain = (text: string): boolean => /^[\w./@:+-]+$/.test(text) && !text.startsWith('-')
