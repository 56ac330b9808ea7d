// Who wants one instance awake: those who wait in its queue, those who were shown a page instead and look on, and tenement itself
// where it starts something unasked. It is there only while something is under way: ten thousand sleepers need none.

import type { Gone } from '../departure.ts'
import type { Refusal } from '../refusal.ts'

import type { WakeCause } from './history.ts'
import type { Run } from './run.ts'
import { type Waiter, Waiters, type WaitersOptions } from './waiters.ts'
import { Wish } from './wish.ts'

export class Demand {
  readonly #waiters: Waiters
  readonly #wish: Wish
  /** It shall start though nobody waits. */
  isWanted = false

  /** `onLeft` is called too when nobody has looked on for so long that the wish is forgotten. */
  constructor(options: WaitersOptions) {
    this.#waiters = new Waiters(options)
    this.#wish = new Wish(options.clock, options.onLeft)
  }

  /** By somebody in the queue, or by somebody who is shown a page meanwhile. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0 || this.#wish.isAlive
  }

  get isNone(): boolean {
    return !this.isAwaited && !this.isWanted
  }

  /** How many wait, operators included. */
  get waiting(): number {
    return this.#waiters.size
  }

  /** How many requests wait. */
  get clients(): number {
    return this.#waiters.clients
  }

  /** Of a start that begins now: who has waited longest, or why it is wanted though nobody waits. */
  causeOf(isRetry: boolean): WakeCause {
    const cause = this.#wish.cause ?? this.#waiters.first?.cause
    if (isRetry && cause?.by !== 'operator') return { by: 'crash', request: cause?.request }
    return cause ?? { by: 'autostart' }
  }

  /** Waits until one of its functions is called. Throws a Refusal when there is no room. */
  join(waiter: Waiter, gone?: Gone): void {
    this.#waiters.join(waiter, gone)
  }

  /** For one who waits and will look on instead: what he waits for is not dropped when he leaves his place. */
  wish(): void {
    const { first } = this.#waiters
    if (first !== undefined) this.#wish.make(first.cause)
  }

  /** Somebody looks on. */
  look(): void {
    this.#wish.renew()
  }

  unwant(): void {
    this.isWanted = false
  }

  /** What is wanted by others than those in the queue is there, or will not come. */
  lapse(): void {
    this.isWanted = false
    this.#wish.end()
  }

  admitAll(run: Run): void {
    this.#waiters.admitAll(run)
  }

  refuseIf(isRefused: (waiter: Waiter) => boolean, refusal: () => Refusal): void {
    this.#waiters.refuseIf(isRefused, refusal)
  }

  refuseAll(refusal: () => Refusal): void {
    this.#waiters.refuseIf(() => true, refusal)
  }
}
