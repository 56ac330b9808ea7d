// How much more memory a process holds at its worst moment than before.
import { residentBytes } from './processes.mjs'

const everyMs = 25

/** Starts to look; the result ends it and tells the megabytes. */
export const watchMemory = (pid) => {
  const before = residentBytes(pid)
  let most = before
  const look = () => {
    most = Math.max(most, residentBytes(pid))
  }
  const timer = setInterval(look, everyMs)
  return () => {
    clearInterval(timer)
    look()
    return { grewMb: (most - before) / 1e6, residentMb: most / 1e6 }
  }
}
