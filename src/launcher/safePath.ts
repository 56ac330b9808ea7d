// Opening and making what lies below a directory that the policy allows, when part of the way may belong to a tenant.
// Every step opens one name relative to the directory before it and refuses symlinks, so nothing planted along the way
// leads elsewhere (the class of CVE-2024-42472). The allowed directory itself is the operator's and is taken as it is.
import { closeSync, fchmodSync, fchownSync, fstatSync } from 'node:fs'
import { isAbsolute, normalize, sep } from 'node:path'
import { makeDirectoryAt, openAt, openFlags, openPath, SystemError } from './libc.ts'

/** What a path asked for is refused with; the message names the path. */
export class RefusedPath extends Error {
  override readonly name = 'RefusedPath'
}

/** Whether `path` is `root` or below it, judged by text alone: absolute, and already in its normal form. */
export const isBelow = (root: string, path: string): boolean =>
  isAbsolute(path) &&
  !path.includes('\0') &&
  normalize(path) === path &&
  (path === root || path.startsWith(root.endsWith(sep) ? root : root + sep))

/** The one of `roots` that holds `path`; throws RefusedPath when none does. */
export const rootOf = (roots: readonly string[], path: string): string => {
  const root = roots.find((candidate) => isBelow(candidate, path))
  if (root === undefined)
    throw new RefusedPath(`"${path}" is not below ${roots.map((each) => `"${each}"`).join(' or ')}`)
  return root
}

const namesBetween = (root: string, path: string): string[] => path.slice(root.length).split(sep).filter(Boolean)

const step = (dir: number, name: string, path: string, flags: number): number => {
  try {
    return openAt(dir, name, flags)
  } catch (error) {
    // With O_NOFOLLOW a symlink answers ELOOP, or ENOTDIR where a directory was asked for (openat(2)).
    if (error instanceof SystemError && (error.code === 'ELOOP' || error.code === 'ENOTDIR'))
      throw new RefusedPath(`"${name}" in "${path}" is a symlink or not a directory`)
    throw error
  }
}

/** Runs `visit` for each directory from `root` down to `path`, the last one left open as the result (an O_PATH descriptor to be closed). */
const descend = (
  root: string,
  path: string,
  enter: (parent: number, name: string, isLast: boolean) => number,
): number => {
  let current = openPath(root, openFlags.path | openFlags.directory)
  const names = namesBetween(root, path)
  for (const [index, name] of names.entries()) {
    const parent = current
    try {
      current = enter(parent, name, index === names.length - 1)
    } finally {
      closeSync(parent)
    }
  }
  return current
}

/** An O_PATH descriptor of an existing directory; throws RefusedPath where a symlink lies on the way. */
export const openDirectoryBelow = (root: string, path: string): number =>
  descend(root, path, (parent, name) => step(parent, name, path, openFlags.path | openFlags.directory))

/** An O_PATH descriptor of whatever `path` is; throws RefusedPath where it or a directory on the way is a symlink. */
export const openBelow = (root: string, path: string): number =>
  descend(root, path, (parent, name, isLast) => {
    const fd = step(parent, name, path, isLast ? openFlags.path : openFlags.path | openFlags.directory)
    // O_PATH with O_NOFOLLOW opens a symlink itself instead of failing (open(2)).
    if (!isLast || !fstatSync(fd).isSymbolicLink()) return fd
    closeSync(fd)
    throw new RefusedPath(`"${path}" is a symlink`)
  })

const isOurs = (uid: number): boolean => uid === 0 || uid === process.getuid?.()

/**
 * An O_PATH descriptor of whatever `path` is, from the root directory on; throws RefusedPath where a symlink lies on the way or
 * where somebody but root and tenement's own user could have put a name on it: a tenant might have planted what it leads to.
 */
export const openTrusted = (path: string): number => {
  let parent = { uid: 0, mode: 0o755 } // the root directory is taken as it is
  return descend('/', path, (directory, name, isLast) => {
    const fd = step(directory, name, path, isLast ? openFlags.path : openFlags.path | openFlags.directory)
    const { uid, mode } = fstatSync(fd)
    const problem = problemOnTheWay({ parent, name, uid, isSymlink: fstatSync(fd).isSymbolicLink() })
    parent = { uid, mode }
    if (problem === undefined) return fd
    closeSync(fd)
    throw new RefusedPath(`"${path}" cannot be given: ${problem}`)
  })
}

interface Step {
  readonly parent: { readonly uid: number; readonly mode: number }
  readonly name: string
  readonly uid: number
  readonly isSymlink: boolean
}

/** In a directory that others may write, only the sticky bit keeps a name with its owner (inode(7), S_ISVTX). */
const problemOnTheWay = ({ parent, name, uid, isSymlink }: Step): string | undefined => {
  if (isSymlink) return `"${name}" is a symlink; name what it leads to`
  if (!isOurs(parent.uid)) return `the directory that holds "${name}" belongs to uid ${parent.uid}`
  if ((parent.mode & 0o002) === 0) return undefined
  if ((parent.mode & 0o1000) !== 0 && isOurs(uid)) return undefined
  return `others may write the directory that holds "${name}"`
}

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * Makes the directory `path` below `root` for `owner`, and what is missing between them for tenement itself (0711).
 * One that exists must be the owner's already: a directory of somebody else is never given away. Throws RefusedPath.
 */
export const ensureDirectory = (root: string, path: string, mode: number, owner: Owner): void => {
  const self = process.getuid?.() ?? 0
  const last = descend(root, path, (parent, name, isLast) => {
    const isNew = makeDirectoryAt(parent, name, 0o700)
    const fd = step(parent, name, path, openFlags.directory)
    try {
      const expected = isLast ? owner : { uid: self, gid: process.getgid?.() ?? 0 }
      if (isNew) give(fd, expected, isLast ? mode : 0o711)
      else requireOwner(fd, path, name, expected.uid)
    } catch (error) {
      closeSync(fd)
      throw error
    }
    return fd
  })
  closeSync(last)
}

const give = (fd: number, owner: Owner, mode: number): void => {
  // Owner first: chown clears the set-group-id bit that the mode may carry (chown(2)).
  fchownSync(fd, owner.uid, owner.gid)
  fchmodSync(fd, mode)
}

const requireOwner = (fd: number, path: string, name: string, uid: number): void => {
  const actual = fstatSync(fd).uid
  if (actual !== uid)
    throw new RefusedPath(
      `"${name}" in "${path}" belongs to uid ${actual}, not to uid ${uid}; chown it if it is meant to be used`,
    )
}
