// How long an instance usually takes to wake, and what a waiting client is told from that. Pure.

/** Weight of the newest wake: recent ones count, one slow start does not decide. */
const newestWeight = 0.3

/** What to expect of an instance never seen waking. */
const unknownMs = 1_000

/** The moving average (EWMA) with one more wake time in it. */
export const nextTypicalMs = (typicalMs: number | undefined, wakeMs: number): number =>
  typicalMs === undefined ? wakeMs : typicalMs + newestWeight * (wakeMs - typicalMs)

/** How long a wake that has not begun yet is expected to take. */
export const expectedMs = (typicalMs: number | undefined): number => typicalMs ?? unknownMs

/** The rest of a wake under way for `elapsedMs`. One that is late already is expected to take half as long again. */
export const expectedRestMs = (typicalMs: number | undefined, elapsedMs: number): number => {
  const restMs = expectedMs(typicalMs) - elapsedMs
  return restMs > 0 ? restMs : Math.max(elapsedMs / 2, unknownMs)
}
