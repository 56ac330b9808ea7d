// Whether somebody else could change what a plug-in does. As root its code runs as root for a moment at every start, so each file
// of it and every folder on the way must be root's alone to write. Looks, and opens nothing.
import type { Stats } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** Most symbolic links on one way (path_resolution(7)). */
const mostLinks = 40

/** What is wrong with the way to the absolute path, and what mends it; undefined where only root and `owner` can change what is there. */
export const problemOnWay = async (path: string, owner: number, links = mostLinks): Promise<Change | undefined> => {
  for (const step of stepsTo(path)) {
    const status = await lstat(step)
    const change = changeOf(step, status, owner)
    if (change !== undefined) return change
    if (!status.isSymbolicLink()) continue
    if (links === 0)
      return { who: `"${path}" leads through too many symbolic links`, fix: 'write the path they lead to' }
    return problemOnWay(resolve(dirname(step), await readlink(step)) + path.slice(step.length), owner, links - 1)
  }
  return undefined
}

export interface Change {
  readonly who: string
  readonly fix: string
}

/** '/', '/a', '/a/b' */
const stepsTo = (path: string): readonly string[] => (path === '/' ? ['/'] : [...stepsTo(dirname(path)), path])

const sticky = 0o1000

const changeOf = (path: string, { uid, gid, mode }: Stats, owner: number): Change | undefined => {
  if (uid !== 0 && uid !== owner) return { who: `"${path}" belongs to uid ${uid}`, fix: `chown root "${path}"` }
  // The mode of a link says nothing: who may replace it, its folder tells. With the sticky bit only the owner of a name may (inode(7)).
  const isLink = (mode & 0o170000) === 0o120000
  if (isLink || (mode & sticky) !== 0) return undefined
  if ((mode & 0o002) !== 0) return { who: `everybody may write "${path}"`, fix: `chmod o-w "${path}"` }
  if ((mode & 0o020) !== 0 && gid !== 0) return { who: `group ${gid} may write "${path}"`, fix: `chmod g-w "${path}"` }
  return undefined
}
