// Waiting for whichever of several signals aborts, for so long at most. Not AbortSignal.any() with an AbortSignal.timeout() in it:
// Node 20 keeps neither, so the garbage collector can take the timeout away, and whoever waits for it waits for ever.
import type { Gone } from './departure.ts'

/** Resolves when one of them is aborted, or after `ms`; nothing of it is left then. */
export const abortsWithin = (signals: readonly Gone[], ms: number): Promise<void> =>
  new Promise((resolve) => {
    const settle = (): void => {
      clearTimeout(timer)
      for (const signal of signals) signal.removeEventListener('abort', settle)
      resolve()
    }
    const timer = setTimeout(settle, ms)
    for (const signal of signals) signal.addEventListener('abort', settle)
    if (signals.some(({ aborted }) => aborted)) settle()
  })
