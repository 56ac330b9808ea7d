// Waits for a line that says the instance is ready. The pattern is the operator's, the lines are the tenant's: a pattern that
// backtracks without end (as "(a+)+$") would let a tenant stop the whole server with one line of its choice. So a line is cut
// to 4 KiB and the match to 20 ms, and the first line that takes longer ends the start as failed.
import { createContext, Script } from 'node:vm'
import type { Process } from './process.ts'

const longestLine = 4_096
const longestMatchMs = 20

/** Regular expressions cannot be interrupted but by the time limit of a script. The line is a plain text: nothing of it is run. */
const matcherFor = (pattern: string): ((line: string) => boolean) => {
  const context = createContext({ pattern: new RegExp(pattern), line: '' })
  const script = new Script('pattern.test(line)')
  return (line) => {
    context.line = line.slice(0, longestLine)
    return script.runInContext(context, { timeout: longestMatchMs }) === true
  }
}

/** Resolves at the first line that matches. Rejects when `signal` aborts, or when matching a line takes too long. */
export const linesMatch = (
  process: Pick<Process, 'watchOutput'>,
  pattern: string,
  signal: AbortSignal,
): Promise<void> =>
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
    unwatch = process.watchOutput(look)
    // The line may have been written before anyone watched, and be passed within the call above.
    if (isOver) unwatch()
  })
