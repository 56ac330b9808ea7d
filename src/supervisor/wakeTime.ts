// How long an instance usually takes to wake, and what a waiting client is told from that. Pure.

/** What is remembered of past wakes: moving averages (EWMA) of their time, and of how far off the former was each time. */
export interface WakeTimes {
  readonly meanMs: number
  /** In square milliseconds. */
  readonly squaredError: number
}

/** Weight of the newest wake: recent ones count, one slow start does not decide. */
const newestWeight = 0.3

/** What to expect of an instance never seen waking. */
const unknownMs = 1_000

/** Nine in ten of normally distributed values lie below the mean and this many standard deviations. */
const ninetieth = 1.2816

/** With one more wake in it. */
export const nextWakeTimes = (times: WakeTimes | undefined, wakeMs: number): WakeTimes => {
  if (times === undefined) return { meanMs: wakeMs, squaredError: 0 }
  const offMs = wakeMs - times.meanMs
  return {
    meanMs: times.meanMs + newestWeight * offMs,
    squaredError: times.squaredError + newestWeight * (offMs ** 2 - times.squaredError),
  }
}

/** How long a wake that has not begun yet usually takes: what decides whether waiting makes sense. */
export const expectedMs = (times: WakeTimes | undefined): number => times?.meanMs ?? unknownMs

/** How long nine in ten wakes take at most (p90): what a client is told, who should not come back too early. */
export const longMs = (times: WakeTimes | undefined): number =>
  times === undefined ? unknownMs : times.meanMs + ninetieth * Math.sqrt(times.squaredError)

/** The rest of a long wake under way for `elapsedMs`. One that is late already is expected to take half as long again. */
export const longRestMs = (times: WakeTimes | undefined, elapsedMs: number): number => {
  const restMs = longMs(times) - elapsedMs
  return restMs > 0 ? restMs : Math.max(elapsedMs / 2, unknownMs)
}
