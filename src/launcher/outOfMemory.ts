// Whether the kernel killed a process for want of memory. The kernel counts such kills for the whole machine
// (oom_kill in /proc/vmstat); a SIGKILL that nobody here sent, with a higher count than before, is taken as one.
import { readFileSync } from 'node:fs'

const countKills = (): number => {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0)
  } catch {
    return 0 // a container may hide it: then no exit is called out of memory
  }
}

/** Answers for one exit at a time, in the order they happen. */
export const watchMemoryKills = (): ((signal: string | null) => boolean) => {
  let seen = countKills()
  return (signal) => {
    if (signal !== 'SIGKILL') return false
    const kills = countKills()
    const hasRisen = kills > seen
    seen = kills
    return hasRisen
  }
}
