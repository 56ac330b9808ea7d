// What only root, or only an ordinary user, can be shown on a machine. The other half is skipped with its reason.
import { test } from 'vitest'

export const isRoot = process.getuid?.() === 0

type Run = () => Promise<void> | void

const testWhere = (isPossible: boolean, reason: string) => (name: string, run: Run) =>
  test(name, async ({ skip }) => {
    if (!isPossible) skip(reason)
    await run()
  })

export const testAsRoot = testWhere(isRoot, 'only root may change uids and mount')
export const testAsUser = testWhere(!isRoot, 'root may do what is shown to be refused')
