// Reads durations and sizes as people write them. Pure; an unreadable text is undefined, the caller makes the sentence.
// Sizes count in 1024s whether written KB, K or KiB, as Docker and systemd do, so that "256MB" is what both of them mean by it.

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const sizeUnits: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** Node fires a timer beyond 2^31 - 1 ms at once, so nothing longer than 24 days can be waited for. */
export const longestDurationMs = 24 * 86_400_000

/** Milliseconds of "500ms", "5m", "1h30m", or of a number of seconds. Each unit at most once, largest first. */
export const parseDuration = (written: string | number): number | undefined => {
  if (typeof written === 'number') return toWhole(written * 1_000)
  const parts = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$/.exec(written)
  if (parts === null || written === '') return undefined
  const units = ['d', 'h', 'm', 's', 'ms']
  return toWhole(units.reduce((sum, unit, at) => sum + Number(parts[at + 1] ?? 0) * (durationUnits[unit] ?? 0), 0))
}

/** Bytes of "256MB", "1.5G", "64KiB", or of a number of bytes. */
export const parseSize = (written: string | number): number | undefined => {
  if (typeof written === 'number') return Number.isInteger(written) ? toWhole(written) : undefined
  const parts = /^(\d+(?:\.\d+)?) ?([kmgt]?)(?:i?b)?$/i.exec(written)
  if (parts === null) return undefined
  return toWhole(Number(parts[1]) * (sizeUnits[(parts[2] ?? '').toLowerCase()] ?? Number.NaN))
}

const toWhole = (value: number): number | undefined => {
  const whole = Math.round(value)
  return Number.isSafeInteger(whole) && value >= 0 ? whole : undefined
}
