// Waits for a line that says the instance is ready. The pattern is the operator's, the lines are the tenant's: a pattern that
// backtracks without end (as "(a+)+$") would let a tenant stop the whole server with one line of its choice. So a line is cut
// to 4 KiB, a match is cut off after 100 ms, and a line that really took that long ends the start as failed. On a busy machine
// most of that time may have been given to others: then the match gets twice as long, until it has had its share.
import { createContext, Script } from 'node:vm'
import type { Process } from './process.ts'

const longestLine = 4_096
const longestMatchMs = 100
/** Below this the time went by without us: a machine under load must not fail a start. */
const leastCpuMs = longestMatchMs / 2

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** Regular expressions cannot be interrupted but by the time limit of a script. The line is a plain text: nothing of it is run. */
const matcherFor = (pattern: string): ((line: string) => boolean) => {
  const context = createContext({ pattern: new RegExp(pattern), line: '' })
  const script = new Script('pattern.test(line)')
  // Twice as long each time: with the same limit a match that is given less than half of a processor would be tried for ever.
  const matchesWithin = (limitMs: number): boolean => {
    const beforeMs = cpuMs()
    try {
      return script.runInContext(context, { timeout: limitMs }) === true
    } catch (thrown) {
      if (cpuMs() - beforeMs >= leastCpuMs) throw thrown
      return matchesWithin(limitMs * 2)
    }
  }
  return (line) => {
    context.line = line.slice(0, longestLine)
    return matchesWithin(longestMatchMs)
  }
}

/** Resolves at the first line that matches. Rejects when `signal` aborts, or when matching a line takes too long. */
export const linesMatch = (writer: Pick<Process, 'watchOutput'>, pattern: string, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const matches = matcherFor(pattern)
    let unwatch: (() => void) | undefined
    let isOver = false
    const finish = (settle: () => void): void => {
      isOver = true
      unwatch?.()
      signal.removeEventListener('abort', abandon)
      settle()
    }
    const abandon = (): void => finish(() => reject(signal.reason))
    const look = (line: string): void => {
      if (isOver) return
      try {
        if (matches(line)) finish(resolve)
      } catch (cause) {
        finish(() =>
          reject(new Error(`ready = "log:${pattern}" took more than ${longestMatchMs} ms on one line`, { cause })),
        )
      }
    }
    if (signal.aborted) return abandon()
    signal.addEventListener('abort', abandon, { once: true })
    unwatch = writer.watchOutput(look)
    // The line may have been written before anyone watched, and be passed within the call above.
    if (isOver) unwatch()
  })
