// What a crash costs an instance: how long until the next try, and when trying stops (the breaker). Pure: time and chance
// are arguments. It does not know what a crash is; whoever calls has decided that.
import type { Breaker } from '../state/state.ts'

/** What is remembered of an instance's crashes. Times of crashes are monotonic, those of the breaker milliseconds since the epoch. */
export interface CrashRecord {
  /** Crashes in a row: since it last stayed ready for a minute. */
  readonly inARow: number
  /** Crashes of the last ten minutes, oldest first. */
  readonly crashedAtMs: readonly number[]
  /** Present while the breaker is open, also while a try is under way. */
  readonly breaker?: Breaker
}

export const noCrashes: CrashRecord = { inARow: 0, crashedAtMs: [] }

/** Being ready for this long makes a crash an accident: no waiting before the first next try. */
const accidentMs = 10_000
/** Being ready for this long makes up for all crashes in a row, and closes the breaker. */
export const recoveredMs = 60_000
const firstDelayMs = 250
const longestDelayMs = 60_000
const windowMs = 10 * 60_000
const crashesToOpen = 5
const firstOpenMs = 5 * 60_000
const longestOpenMs = 60 * 60_000

export interface Crash {
  readonly nowMs: number
  readonly wallMs: number
  /** How long it had been ready; 0 when it never was. */
  readonly readyForMs: number
  /** From 0 to 1, by chance. */
  readonly random: number
}

/** What follows from a crash: `waitMs` until another try, or an open breaker in the record. */
export interface Verdict {
  readonly record: CrashRecord
  readonly waitMs: number
}

/** Full jitter (any time up to the bound): instances that fell together must not come back together. */
const waitMs = (inARow: number, { readyForMs, random }: Crash): number => {
  if (inARow === 1 && readyForMs >= accidentMs) return 0
  return random * Math.min(firstDelayMs * 2 ** (inARow - 1), longestDelayMs)
}

const openFor = (opens: number): number => Math.min(firstOpenMs * 2 ** (opens - 1), longestOpenMs)

const open = (before: Breaker | undefined, wallMs: number): Breaker => {
  const opens = (before?.opens ?? 0) + 1
  return { opens, halfOpenAtMs: wallMs + openFor(opens) }
}

export const afterCrash = (before: CrashRecord, crash: Crash): Verdict => {
  const known = crash.readyForMs >= recoveredMs ? afterRecovery(before) : before
  const inARow = known.inARow + 1
  const recent = known.crashedAtMs.filter((atMs) => crash.nowMs - atMs < windowMs)
  const crashedAtMs = [...recent, crash.nowMs].slice(-crashesToOpen)
  // With the breaker open this was the one try that it allowed.
  const opens = known.breaker !== undefined || crashedAtMs.length >= crashesToOpen
  const record = { inARow, crashedAtMs, ...(opens ? { breaker: open(known.breaker, crash.wallMs) } : {}) }
  return { record, waitMs: opens ? 0 : waitMs(inARow, crash) }
}

/** Crashes of the last minutes still count, unless they had opened the breaker: then it starts anew. */
export const afterRecovery = ({ breaker, crashedAtMs }: CrashRecord): CrashRecord =>
  breaker === undefined ? { inARow: 0, crashedAtMs } : noCrashes

/** Milliseconds until a request may try again; never longer than the breaker was opened for, whatever the machine's clock does. */
export const closedForMs = ({ opens, halfOpenAtMs }: Breaker, wallMs: number): number =>
  Math.min(Math.max(halfOpenAtMs - wallMs, 0), openFor(opens))

/** Whether forgetting the record would change what happens next. */
export const isForgettable = ({ breaker, crashedAtMs }: CrashRecord, nowMs: number): boolean =>
  breaker === undefined && crashedAtMs.every((atMs) => nowMs - atMs >= windowMs)
