// The steps of one wake and how long each took, from the wish to start until the head of the first answer. All times are
// monotonic; when the wake began is told in time since the epoch besides, for people.
import type { LastWake, Waker } from '../control/operations.ts'
import type { Clock } from './clock.ts'

/** Milliseconds by step; undefined for one that is not over. */
export interface WakeSteps {
  /** From the wish to the decision that it may start now. */
  readonly queueMs: number | undefined
  /** From there until its process exists, confined as planned. */
  readonly spawnMs: number | undefined
  /** From there until it can serve. */
  readonly readyMs: number | undefined
  /** From letting in the request that was answered first to the head of that answer. */
  readonly firstByteMs: number | undefined
}

/** How long one request waited, in milliseconds: before the start began, and from then on. */
export interface Waited {
  readonly queueMs: number
  readonly wakeMs: number
}

export class WakeTimer {
  readonly #clock: Clock
  readonly #atMs: number
  readonly #queuedMs: number
  #cause: Waker
  #startedMs: number | undefined
  #spawnedMs: number | undefined
  #readyMs: number | undefined
  #firstByteMs: number | undefined

  constructor(clock: Clock, cause: Waker) {
    this.#cause = cause
    this.#clock = clock
    this.#atMs = clock.wallMs()
    this.#queuedMs = clock.nowMs()
  }

  /** Whoever it was queued for may have left; it starts for `cause`. */
  started(cause: Waker): void {
    this.#cause = cause
    this.#startedMs = this.#clock.nowMs()
  }

  spawned(): void {
    this.#spawnedMs = this.#clock.nowMs()
  }

  becameReady(): void {
    this.#readyMs = this.#clock.nowMs()
  }

  answered(tookMs: number): void {
    this.#firstByteMs = tookMs
  }

  get cause(): Waker {
    return this.#cause
  }

  get steps(): WakeSteps {
    return {
      queueMs: between(this.#queuedMs, this.#startedMs),
      spawnMs: between(this.#startedMs, this.#spawnedMs),
      readyMs: between(this.#spawnedMs, this.#readyMs),
      firstByteMs: this.#firstByteMs,
    }
  }

  get times(): LastWake {
    const { queueMs, spawnMs, readyMs, firstByteMs } = this.steps
    return {
      at: new Date(this.#atMs).toISOString(),
      cause: this.cause,
      queueMs: rounded(queueMs),
      spawnMs: rounded(spawnMs),
      readyMs: rounded(readyMs),
      firstByteMs: rounded(firstByteMs),
    }
  }

  /** How one who has waited since `sinceMs` has spent the time until now. */
  waitedSince(sinceMs: number): Waited {
    const waitedMs = Math.max(this.#clock.nowMs() - sinceMs, 0)
    const queueMs = Math.min(Math.max((this.#startedMs ?? sinceMs) - sinceMs, 0), waitedMs)
    return { queueMs, wakeMs: waitedMs - queueMs }
  }
}

const between = (from: number | undefined, to: number | undefined): number | undefined =>
  from === undefined || to === undefined ? undefined : to - from

/** To a hundredth of a millisecond: more is noise. */
const rounded = (ms: number | undefined): number | null => (ms === undefined ? null : Math.round(ms * 100) / 100)
