// What only root, or only an ordinary user, can be shown on a machine. The other half is skipped with its reason.
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'

export const isRoot = process.getuid?.() === 0

type Run = () => Promise<void> | void

const testWhere = (isPossible: boolean, reason: string) => (name: string, run: Run, timeoutMs?: number) =>
  test(
    name,
    async ({ skip }) => {
      if (!isPossible) skip(reason)
      await run()
    },
    timeoutMs,
  )

export const testAsRoot = testWhere(isRoot, 'only root may change uids and mount')
export const testAsUser = testWhere(!isRoot, 'root may do what is shown to be refused')

const parentsOf = (path: string): readonly string[] => (path === '/' ? ['/'] : [path, ...parentsOf(dirname(path))])

/** The folder that bars other users from this checkout, such as "/root"; undefined when everybody may look at it. */
const barring = parentsOf(fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')).find(
  (folder) => (statSync(folder).mode & 0o001) === 0,
)

/** As root, with programs of this checkout that other users run. */
export const testAsRootInTheOpen = testWhere(
  isRoot && barring === undefined,
  isRoot ? `other users cannot reach this checkout: ${barring} bars the way` : 'only root may change uids and mount',
)
