// How long a wait for a phase may be told to last, as the control API and the command line read it. Pure.
import { parseDuration } from '../config/units.ts'

const longestMs = 24 * 60 * 60_000

/** Where nothing is said. */
export const usualWait = '30s'

/** The second half of a sentence about what was written. */
export const waitSentence = 'must be a duration such as "30s" or "5m", at most "24h"'

/** Milliseconds; undefined for what is no duration, or too long a one. */
export const parseWait = (written: string): number | undefined => {
  const ms = parseDuration(/^\d+$/.test(written) ? Number(written) : written)
  return ms === undefined || ms > longestMs ? undefined : ms
}
