// Who wants one instance awake: those who wait in its queue, those who were shown a page instead and look on, and tenement itself
// where it starts something unasked. It is there only while something is under way: ten thousand sleepers need none.
import type { Gone } from '../departure.ts'
import type { Refusal } from '../refusal.ts'
import type { WakeCause } from './history.ts'
import type { Instance } from './instance.ts'
import { fullRetryMs, refusalAtDeadline } from './outlook.ts'
import type { Run } from './run.ts'
import { outlookOf } from './standing.ts'
import { type Waiter, Waiters } from './waiters.ts'
import { Wish } from './wish.ts'

export class Demand {
  readonly #waiters: Waiters
  readonly #wish: Wish
  /** It shall start though nobody waits. */
  isWanted = false

  /** `onLeft` is called when somebody who waited has left, or nobody has looked on for too long: perhaps nobody wants it any more. */
  constructor(instance: Instance, onLeft: () => void) {
    const { key, rules, chronicle } = instance
    const { clock, room, random } = instance.house
    this.#waiters = new Waiters({
      ...{ clock, room, instance: key, queueMax: rules.queueMax },
      outOfTime: () => refusalAtDeadline(outlookOf(instance)),
      fullRetryMs: () => fullRetryMs(chronicle.wakeTimes, random()),
      onLeft,
    })
    this.#wish = new Wish(clock, onLeft)
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
