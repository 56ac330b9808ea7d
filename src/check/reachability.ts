// Which folder bars the way of a tenant's uid to a path. Only the bits for others count: a tenant owns nothing and is in no group.
// Access lists can grant or deny more; they are not looked at.
import { realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isWithin } from '../config/dataDir.ts'

const mayEnter = 0o001
const mayReadAndEnter = 0o005

/** The outermost existing folder above `path` that others may not pass through; folders not there yet bar nobody. */
export const findBarrier = async (path: string, from = '/'): Promise<string | undefined> => {
  for (const folder of foldersAbove(path)) {
    if (folder !== from && isWithin(from, folder)) continue
    if (await lacks(folder, mayEnter)) return folder
  }
  return undefined
}

/** From "/" down to the folder that holds the path. */
const foldersAbove = (path: string): readonly string[] => {
  const above = dirname(path)
  return above === path ? [] : [...foldersAbove(above), above]
}

/** Whether others may neither read nor enter the folder or run the file. */
export const isClosed = (path: string): Promise<boolean> => lacks(path, mayReadAndEnter)

const lacks = async (path: string, bits: number): Promise<boolean> => {
  const status = await stat(path).catch(() => undefined)
  return status !== undefined && (status.mode & bits) !== bits
}

/** What bars a tenant from a program: a folder, or the file itself. The folders above `cwd` do not count: it is shown to tenants elsewhere if need be. */
export const findProgramBarrier = async (program: string, cwd: string): Promise<string | undefined> => {
  for (const path of new Set([program, await realpath(program)])) {
    const barrier = await findBarrier(path, isWithin(path, cwd) ? cwd : '/')
    if (barrier !== undefined) return barrier
    if (await isClosed(path)) return path
  }
  return undefined
}
