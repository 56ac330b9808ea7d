// Those who wait for one instance to be ready: clients, and operators who asked for it. Each gets exactly one outcome, at
// its own deadline at the latest, and one who leaves takes nothing from the others.
// It does not know what they wait for: phases are the instance's business.
import type { Gone } from '../departure.ts'
import type { Refusal } from '../refusal.ts'
import type { Clock } from './clock.ts'
import type { WakeCause } from './history.ts'
import { refusals } from './refusals.ts'
import type { Run } from './run.ts'
import type { WaitingRoom } from './waitingRoom.ts'

/** Whom too many requests wait for, where it is not one instance. */
const everybody = 'sleeping instances'

export interface Waiter {
  /** Monotonic. */
  readonly deadlineMs: number
  /** An operator: has no place in the queue to lose, and wants to hear of the first failed start. */
  readonly isOperator: boolean
  /** Whose place in the room it takes; undefined for an operator, and for those who are not counted. */
  readonly countedAs?: string | undefined
  /** What is said to have woken the instance when this one waited first. */
  readonly cause: WakeCause
  /** Called when the run is ready, in the same tick. */
  admit(run: Run): void
  refuse(refusal: Refusal): void
}

export interface WaitersOptions {
  readonly clock: Clock
  /** Shared by all who wait anywhere, so that a crowd before many sleeping instances has a bound too. */
  readonly room: WaitingRoom
  readonly instance: string
  readonly queueMax: number
  /** What one is told whose time is up. */
  outOfTime(): Refusal
  /** Milliseconds after which one should come back for whom there is no place. */
  fullRetryMs(): number
  /** Called after somebody left or ran out of time. */
  onLeft(): void
}

interface Seat {
  readonly waiter: Waiter
  /** Gives back its place, calls off the timer and forgets the client. */
  free(): void
}

export class Waiters {
  readonly #options: WaitersOptions
  /** In order of arrival. */
  readonly #seats = new Set<Seat>()
  #clients = 0

  constructor(options: WaitersOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#seats.size
  }

  /** Whoever has waited longest. */
  get first(): Waiter | undefined {
    for (const { waiter } of this.#seats) return waiter
    return undefined
  }

  /** Those who are no operators. */
  get clients(): number {
    return this.#clients
  }

  /** Waits until one of its functions is called. Throws a Refusal when there is no room. `gone` aborts when the client leaves. */
  join(waiter: Waiter, gone?: Gone): void {
    const { clock, instance } = this.#options
    const giveBack = waiter.isOperator ? undefined : this.#takePlace(waiter.countedAs, () => this.#turnOut(seat))
    const leave = (): void => this.#leave(seat, refusals.left(instance, gone?.reason))
    const cancelTimer = clock.setTimer(Math.max(waiter.deadlineMs - clock.nowMs(), 0), () =>
      this.#leave(seat, this.#options.outOfTime()),
    )
    gone?.addEventListener('abort', leave, { once: true })
    const free = (): void => {
      giveBack?.()
      cancelTimer()
      gone?.removeEventListener('abort', leave)
    }
    const seat: Seat = { waiter, free }
    this.#seats.add(seat)
    this.#count(waiter, 1)
  }

  /** Hands the run to everyone, first come first. */
  admitAll(run: Run): void {
    for (const seat of [...this.#seats]) if (this.#take(seat)) seat.waiter.admit(run)
  }

  refuseIf(isRefused: (waiter: Waiter) => boolean, refusal: () => Refusal): void {
    for (const seat of [...this.#seats]) if (isRefused(seat.waiter) && this.#take(seat)) seat.waiter.refuse(refusal())
  }

  #takePlace(countedAs: string | undefined, onTurnedOut: () => void): () => void {
    const { queueMax, room, instance, fullRetryMs } = this.#options
    if (this.#clients >= queueMax) throw refusals.queueFull(instance, fullRetryMs())
    const giveBack = room.take(countedAs, onTurnedOut)
    if (giveBack === undefined) throw refusals.queueFull(everybody, fullRetryMs())
    return giveBack
  }

  /**
   * In a step of its own: its instance may fall asleep by it and others be forgotten, and whoever has taken the place is only on the
   * way into a queue.
   */
  #turnOut(seat: Seat): void {
    queueMicrotask(() => this.#leave(seat, refusals.queueFull(everybody, this.#options.fullRetryMs())))
  }

  #leave(seat: Seat, refusal: Refusal): void {
    if (!this.#take(seat)) return
    seat.waiter.refuse(refusal)
    this.#options.onLeft()
  }

  /** False when it had its outcome already: whoever takes a seat away settles it. */
  #take(seat: Seat): boolean {
    if (!this.#seats.delete(seat)) return false
    seat.free()
    this.#count(seat.waiter, -1)
    return true
  }

  #count(waiter: Waiter, by: 1 | -1): void {
    if (!waiter.isOperator) this.#clients += by
  }
}
