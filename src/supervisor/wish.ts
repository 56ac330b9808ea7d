// Somebody wants an instance without waiting in its queue: a browser that is shown a page while the instance wakes. What is to be
// started for it is not dropped meanwhile. Only one who waited can begin a wish; who merely looks on keeps one up that is there,
// and can neither begin one nor keep awake what is awake, since a wish ends with what was wished for.
import type { Clock } from './clock.ts'
import type { WakeCause } from './history.ts'

/** How long a wish holds after the last look: time for a page to come back to it over a slow network, by itself or by its script. */
export const wishMs = 15_000

export class Wish {
  readonly #clock: Clock
  readonly #onOver: () => void
  #untilMs = 0
  #callOff: (() => void) | undefined
  #cause: WakeCause | undefined

  /** `onOver` is called when nobody has looked for so long that the wish is forgotten; not when it is ended. */
  constructor(clock: Clock, onOver: () => void) {
    this.#clock = clock
    this.#onOver = onOver
  }

  get isAlive(): boolean {
    return this.#callOff !== undefined
  }

  /** Where it came from first; undefined where there is none. */
  get cause(): WakeCause | undefined {
    return this.isAlive ? this.#cause : undefined
  }

  /** `cause` is what one who waits is for. */
  make(cause: WakeCause): void {
    this.#untilMs = this.#clock.nowMs() + wishMs
    if (this.isAlive) return
    this.#cause = cause
    this.#callOff = this.#watch()
  }

  /** Somebody looks: a wish that is there holds for as long again. */
  renew(): void {
    if (this.isAlive) this.#untilMs = this.#clock.nowMs() + wishMs
  }

  end(): void {
    this.#callOff?.()
    this.#callOff = undefined
  }

  /** Looks are many, so they only note the time: the timer finds out how long is left when it fires. */
  #watch(): () => void {
    return this.#clock.setTimer(this.#untilMs - this.#clock.nowMs(), () => {
      if (this.#clock.nowMs() < this.#untilMs) {
        this.#callOff = this.#watch()
        return
      }
      this.#callOff = undefined
      this.#onOver()
    })
  }
}
