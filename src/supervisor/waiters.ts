// Those who wait for one instance to be ready: clients, and operators who asked for it. Each gets exactly one outcome, at
// its own deadline at the latest, and one who leaves takes nothing from the others.
// It does not know what they wait for: phases are the instance's business.
import type { Gone } from '../departure.ts'
import type { Refusal } from '../refusal.ts'
import type { Clock } from './clock.ts'
import type { WakeCause } from './history.ts'
import { refusals } from './refusals.ts'
import type { Run } from './run.ts'

/** Requests waiting in all of tenement; each costs a socket and a few kilobytes. */
const longestQueue = 10_000

/** Counts who waits anywhere, so that a crowd before many sleeping instances has a bound too. */
export interface WaitingRoom {
  taken: number
}

export interface Waiter {
  /** Monotonic. */
  readonly deadlineMs: number
  /** An operator: has no place in the queue to lose, and wants to hear of the first failed start. */
  readonly isOperator: boolean
  /** What is said to have woken the instance when this one waited first. */
  readonly cause: WakeCause
  /** Called when the run is ready, in the same tick. */
  admit(run: Run): void
  refuse(refusal: Refusal): void
}

export interface WaitersOptions {
  readonly clock: Clock
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
  /** Calls off the timer and forgets the client. */
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
    if (!waiter.isOperator) this.#requireRoom()
    const leave = (): void => this.#leave(seat, refusals.left(instance, gone?.reason))
    const cancelTimer = clock.setTimer(Math.max(waiter.deadlineMs - clock.nowMs(), 0), () =>
      this.#leave(seat, this.#options.outOfTime()),
    )
    gone?.addEventListener('abort', leave, { once: true })
    const free = (): void => {
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

  #requireRoom(): void {
    const { queueMax, room, instance, fullRetryMs } = this.#options
    if (this.#clients < queueMax && room.taken < longestQueue) return
    const whose = this.#clients < queueMax ? 'sleeping instances' : instance
    throw refusals.queueFull(whose, fullRetryMs())
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
    if (waiter.isOperator) return
    this.#clients += by
    this.#options.room.taken += by
  }
}
