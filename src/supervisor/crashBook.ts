// The crashes of one instance: counts them by the policy in crashes.ts, tells the log, and keeps an open breaker for a later
// server. What follows for the instance is the instance's business.
import type { Breaker } from '../state/state.ts'
import { afterCrash, afterRecovery, type CrashRecord, closedForMs, isForgettable, noCrashes } from './crashes.ts'
import type { House } from './house.ts'

type CrashHouse = Pick<House, 'clock' | 'log' | 'random' | 'keepBreaker'>

export class CrashBook {
  readonly #instance: string
  readonly #house: CrashHouse
  #record: CrashRecord

  /** `breaker` is open since before this server. */
  constructor(instance: string, house: CrashHouse, breaker: Breaker | undefined) {
    this.#instance = instance
    this.#house = house
    this.#record = breaker === undefined ? noCrashes : { ...noCrashes, breaker }
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
    return breaker === undefined ? 0 : closedForMs(breaker, this.#house.clock.wallMs())
  }

  /** Whether forgetting it would change nothing. */
  get isForgettable(): boolean {
    return isForgettable(this.#record, this.#house.clock.nowMs())
  }

  /** Returns how long to wait before another try; the breaker may be open after it. `why` is for the log. */
  count(readyForMs: number, why: string | undefined): number {
    const instance = this.#instance
    const { clock, log, random } = this.#house
    const crash = { nowMs: clock.nowMs(), wallMs: clock.wallMs(), readyForMs, random: random() }
    const { record, waitMs } = afterCrash(this.#record, crash)
    this.#record = record
    log.warn({ instance, why, crashes: record.inARow, waitMs: Math.round(waitMs) }, 'crashed')
    if (record.breaker === undefined) return waitMs
    this.#house.keepBreaker(instance, record.breaker)
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
    if (wasOpen && !this.isBreakerOpen) this.#house.keepBreaker(this.#instance, undefined)
  }
}
