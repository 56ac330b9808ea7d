// Opens an instance's log and what was rotated away from it: `X.log`, then `X.log.1`, `.2` and so on, newest first.
// Files are renamed while this reads, so each is known by device and inode, never by its name. Symlinks are not followed:
// the reader may see more of the machine than whoever planted one.
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** One open log file. Whoever has it closes it. */
export interface OpenLog {
  readonly handle: FileHandle
  /** Device and inode: the same as long as it is the same file, whatever it is called by now. */
  readonly key: string
  /** Size in bytes when it was opened. */
  readonly size: number
}

const rotatedName = (path: string, number: number): string => (number === 0 ? path : `${path}.${number}`)

const isMissing = (thrown: unknown): boolean => thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT'

/** Opens one log file; undefined when there is none. Rejects when it is a symlink or no plain file. */
const openLog = async (path: string): Promise<OpenLog | undefined> => {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (thrown: unknown) => {
      if (isMissing(thrown)) return undefined
      throw thrown
    },
  )
  if (handle === undefined) return undefined
  const stat = await handle.stat()
  if (stat.isFile()) return { handle, key: `${stat.dev}:${stat.ino}`, size: stat.size }
  await handle.close()
  throw new Error(`"${path}" is not a plain file`)
}

export const closeLogs = async (logs: readonly OpenLog[]): Promise<void> => {
  await Promise.all(logs.map((log) => log.handle.close()))
}

/** The files of a log, newest first; each is the caller's to close. */
async function* newestFirst(path: string): AsyncGenerator<OpenLog> {
  // One number may be missing while files are being renamed, from the oldest to the newest; two are the end.
  for (let number = 0, missing = 0; missing < 2; number += 1) {
    const log = await openLog(rotatedName(path, number))
    if (log === undefined) missing += 1
    else yield log
  }
}

/** Opens files newest first until `isEnough` says so or there are no more; returns them oldest first. */
export const openBackwards = async (
  path: string,
  isEnough: (log: OpenLog) => Promise<boolean>,
): Promise<readonly OpenLog[]> => {
  const opened: OpenLog[] = []
  try {
    for await (const log of newestFirst(path)) {
      // A rotation between two opens makes the same file turn up again under the next number.
      if (opened[0]?.key === log.key) {
        await log.handle.close()
        continue
      }
      opened.unshift(log)
      if (await isEnough(log)) break
    }
    return opened
  } catch (error) {
    await closeLogs(opened)
    throw error
  }
}

/**
 * Opens the file that was begun after the one with this key; undefined while that one is still the newest.
 * When it has been rotated out of existence, or there was none, the oldest file there is comes next.
 */
export const openAfter = async (path: string, key: string | undefined): Promise<OpenLog | undefined> => {
  let next: OpenLog | undefined
  try {
    for await (const log of newestFirst(path)) {
      await (log.key === key ? log : next)?.handle.close()
      if (log.key === key) break
      next = log
    }
    return next
  } catch (error) {
    await next?.handle.close()
    throw error
  }
}
