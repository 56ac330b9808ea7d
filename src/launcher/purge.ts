// Removing a directory whose content a tenant arranged: trees of any depth, names of any kind, symlinks swapped meanwhile.
// The content is removed by a process of the tenant's own uid, which can reach nothing that the tenant could not; only
// the directory itself, by then empty, is removed by the launcher.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Identity } from '../isolation/adapter.ts'
import { duplicateAbove, removeDirectoryAt, SystemError } from './libc.ts'
import { openDirectoryBelow } from './safePath.ts'

// The tenant may have taken its own rights to a directory away; it gives them back to itself where the first try fails.
const emptyIt = `
find . -mindepth 1 -xdev -delete 2>/dev/null && exit 0
chmod -R u+rwX . 2>/dev/null
find . -mindepth 1 -xdev -delete 2>&1 | { head -c 500 >&2; cat >/dev/null; }
rest=$(find . -mindepth 1 -print -quit) && [ -z "$rest" ]`

/** Removes the directory `path` below `root` with all it holds; resolves false when there is none. Rejects naming what could not be removed. */
export const purgeDirectory = async (root: string, path: string, identity: Identity | undefined): Promise<boolean> => {
  const parent = openIfThere(root, dirname(path))
  if (parent === undefined) return false
  try {
    const directory = openIfThere(root, path)
    if (directory === undefined) return false
    await emptyDirectory(directory, path, identity)
    return removeDirectoryAt(parent, basename(path))
  } finally {
    closeSync(parent)
  }
}

const openIfThere = (root: string, path: string): number | undefined => {
  try {
    return openDirectoryBelow(root, path)
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Takes over the descriptor `directory`. */
const emptyDirectory = async (directory: number, path: string, identity: Identity | undefined): Promise<void> => {
  const cwd = duplicateAbove(directory, 100)
  closeSync(directory)
  try {
    // Of all directories the tenant cannot open this one again by itself: even "." is looked up in it (path_resolution(7)).
    chmodSync(`/proc/self/fd/${cwd}`, 0o700)
    const child = spawn('/bin/sh', ['-c', emptyIt], {
      cwd: `/proc/self/fd/${cwd}`,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'pipe'],
      ...identity,
    })
    const [complaint, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    if (code !== 0)
      throw new Error(`"${path}" could not be emptied: ${complaint.trim().split('\n')[0] ?? `exit code ${code}`}`)
  } finally {
    closeSync(cwd)
  }
}
