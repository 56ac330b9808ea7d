// Whether a tenant could have planted what a path of the config leads to, by the very rules the launcher opens such a path by
// (launcher/safePath.ts, openTrusted): what `check` lets pass must not fail at the first request. Looks, and opens nothing.
import type { Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { quote } from '../config/problem.ts'

export interface Told {
  /** The second half of a sentence about the path. */
  readonly problem: string
  readonly fix: string
}

export type Looked = { readonly status: Stats } | Told

/** What lies at the absolute path, when it can be trusted; else what is wrong with the way to it. */
export const lookAt = async (path: string): Promise<Looked> => {
  let parent = { path: '/', uid: 0, mode: 0o755 } // the root directory is taken as it is
  for (const step of stepsTo(path)) {
    const status = await lstat(step).catch(() => undefined)
    if (status === undefined)
      return { problem: 'does not exist, or may not be looked at', fix: 'make it, or name one that is there' }
    const told = problemWith(step, status, parent)
    if (told !== undefined) return told
    if (step === path) return { status }
    parent = { path: step, uid: status.uid, mode: status.mode }
  }
  return { status: await lstat('/') }
}

/** '/a', '/a/b', '/a/b/c' */
const stepsTo = (path: string): readonly string[] => {
  const names = path.split('/').filter((name) => name !== '')
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)
}

const isOurs = (uid: number): boolean => uid === 0 || uid === process.geteuid?.()

const elsewhere = 'or keep it where only root and you can write'

interface Parent {
  readonly path: string
  readonly uid: number
  readonly mode: number
}

/** In a directory that everybody may write, only the sticky bit keeps a name with its owner (inode(7), S_ISVTX). */
const problemWith = (step: string, status: Stats, parent: Parent): Told | undefined => {
  if (status.isSymbolicLink())
    return {
      problem: `leads through the symbolic link ${quote(step)}, and none is followed`,
      fix: 'write the path it leads to',
    }
  if (!isOurs(parent.uid))
    return {
      problem: `can be replaced by uid ${parent.uid}, to whom ${quote(parent.path)} belongs`,
      fix: `chown root ${quote(parent.path)}, ${elsewhere}`,
    }
  const isOpen = (parent.mode & 0o002) !== 0
  const isKept = (parent.mode & 0o1000) !== 0 && isOurs(status.uid)
  if (!isOpen || isKept) return undefined
  return {
    problem: `can be replaced by everybody: ${quote(parent.path)} is open for writing`,
    fix: `chmod o-w ${quote(parent.path)}, ${elsewhere}`,
  }
}
