// A test that fails must not leave a tenement running: it would hold ports, uids and directories of the tests that come later.
import type { ChildProcess } from 'node:child_process'

const running = new Set<ChildProcess>()
let isWatching = false

const endAll = (): void => {
  for (const child of running) child.kill('SIGTERM')
}

/** Ends the process with this one, should no test have done it. */
export const endWithTests = (child: ChildProcess): void => {
  if (!isWatching) process.once('exit', endAll)
  isWatching = true
  running.add(child)
  child.once('exit', () => running.delete(child))
}
