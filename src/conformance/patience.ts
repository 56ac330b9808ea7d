// How many times longer than on a usual machine things are waited for: whether an adapter keeps its promises is asked, not how fast a
// machine is. Measured and never set: by the start of the very program that a tenement and its instances are made of.
import { spawnSync } from 'node:child_process'

/** A third of it where nothing else runs, and some eight times as long where everything is emulated. */
const usualStartMs = 150

/** A whole number, at least 1; measured once for each call. */
export const measurePatience = (): number => {
  const startedAt = performance.now()
  spawnSync(process.execPath, ['-e', '0'], { stdio: 'ignore' })
  return Math.ceil(Math.max(1, (performance.now() - startedAt) / usualStartMs))
}
