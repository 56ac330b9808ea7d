// The crashes of one instance: counts them by the policy in crashes.ts, tells the log, and keeps an open breaker for a later
// server. What follows for the instance is the instance's business.
import type { Breaker } from '../state/state.ts'
import { afterCrash, afterRecovery, type CrashRecord, closedForMs, isForgettable, noCrashes } from './crashes.ts'
import type { House } from './house.ts'

export interface CrashBookOptions {
  readonly instance: string
  readonly house: Pick<House, 'clock' | 'log' | 'random'>
  /** Open since before this server. */
  readonly breaker: Breaker | undefined
  keepBreaker(breaker: Breaker | undefined): void
}

export class CrashBook {
  readonly #options: CrashBookOptions
  #record: CrashRecord

  constructor(options: CrashBookOptions) {
    this.#options = options
    this.#record = options.breaker === undefined ? noCrashes : { ...noCrashes, breaker: options.breaker }
  }

  /** Open also while the one try that it allows is under way. */
  get isBreakerOpen(): boolean {
    return this.#record.breaker !== undefined
  }

  /** Since it last stayed ready for a minute. */
  get inARow(): number {
    return this.#record.inARow
  }

  /** Milliseconds until the breaker lets a request try. */
  get closedForMs(): number {
    const { breaker } = this.#record
    return breaker === undefined ? 0 : closedForMs(breaker, this.#options.house.clock.wallMs())
  }

  /** Whether forgetting it would change nothing. */
  get isForgettable(): boolean {
    return isForgettable(this.#record, this.#options.house.clock.nowMs())
  }

  /** Returns how long to wait before another try; the breaker may be open after it. `why` is for the log. */
  count(readyForMs: number, why: string | undefined): number {
    const { instance, house, keepBreaker } = this.#options
    const { clock, log, random } = house
    const crash = { nowMs: clock.nowMs(), wallMs: clock.wallMs(), readyForMs, random: random() }
    const { record, waitMs } = afterCrash(this.#record, crash)
    this.#record = record
    log.warn({ instance, why, crashes: record.inARow, waitMs: Math.round(waitMs) }, 'crashed')
    if (record.breaker === undefined) return waitMs
    keepBreaker(record.breaker)
    log.error({ instance, waitMs: this.closedForMs }, 'crashed too often and is left alone')
    return waitMs
  }

  /** An operator's word: as if nothing had happened. */
  forgive(): void {
    this.#replace(noCrashes)
  }

  /** It stayed ready long enough. */
  recover(): void {
    this.#replace(afterRecovery(this.#record))
  }

  #replace(record: CrashRecord): void {
    const wasOpen = this.isBreakerOpen
    this.#record = record
    if (wasOpen && !this.isBreakerOpen) this.#options.keepBreaker(undefined)
  }
}
