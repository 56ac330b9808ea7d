// Time, and being called later: the only clock the supervisor looks at, so that tests can own it.
// Monotonic time decides every deadline; wall time is only shown, stored, or compared with times that came from outside.

export interface Clock {
  /** Monotonic milliseconds from an arbitrary start; stepping the machine's clock does not move it. */
  nowMs(): number
  /** Milliseconds since the epoch. */
  wallMs(): number
  /** Calls `run` once after `ms`; returns how to call it off. */
  setTimer(ms: number, run: () => void): () => void
}

/** Node takes a longer delay for 1 ms; no timer of tenement means more than these 24 days. */
const longestTimerMs = 2 ** 31 - 1

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer(ms, run) {
    const timer = setTimeout(run, Math.min(ms, longestTimerMs))
    return () => clearTimeout(timer)
  },
}
