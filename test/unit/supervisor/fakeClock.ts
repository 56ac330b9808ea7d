// A clock a test owns: time passes only when it says so, and timers fire in order, each followed by whatever it set going.
import type { Clock } from '../../../src/supervisor/clock.ts'

interface Timer {
  readonly atMs: number
  readonly run: () => void
}

/** Lets everything that is already settled take its course. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export class FakeClock implements Clock {
  #nowMs = 1_000
  #wallMs = Date.parse('2030-01-01T00:00:00Z')
  readonly #timers = new Set<Timer>()

  /** Timers waiting to fire. */
  get pending(): number {
    return this.#timers.size
  }

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#wallMs
  }

  setTimer(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Sets the machine's clock, as an administrator would: monotonic time knows nothing of it. */
  setWall(byMs: number): void {
    this.#wallMs += byMs
  }

  /** Time passes in which no timer could fire: the machine was suspended. */
  suspend(ms: number): void {
    this.#pass(ms)
  }

  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await settled()
    for (let timer = this.#next(untilMs); timer !== undefined; timer = this.#next(untilMs)) {
      this.#timers.delete(timer)
      this.#pass(Math.max(timer.atMs - this.#nowMs, 0))
      timer.run()
      await settled()
    }
    this.#pass(untilMs - this.#nowMs)
  }

  #pass(ms: number): void {
    this.#nowMs += ms
    this.#wallMs += ms
  }

  /** The soonest timer due by then; of several, the one set first. */
  #next(untilMs: number): Timer | undefined {
    let soonest: Timer | undefined
    for (const timer of this.#timers)
      if (timer.atMs <= untilMs && (soonest === undefined || timer.atMs < soonest.atMs)) soonest = timer
    return soonest
  }
}
