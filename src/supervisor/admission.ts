// Who may start now. A bounded number of instances start at once (max_concurrent_wakes), in turn between services, and
// only while there is room (max_running). A start that takes long gives its place to the next and goes on starting, so
// that slow starters, or ones that never get ready, hold up nobody.
import type { InstanceName } from '../names.ts'
import type { Capacity } from './capacity.ts'
import type { Clock } from './clock.ts'
import { FairQueue } from './fairQueue.ts'

/** An instance that wants to start. */
export interface Candidate {
  readonly name: InstanceName
  /** 'service:id' */
  readonly key: string
  /** Whether an unused instance may be stopped for it: somebody waits, rather than a list of things to start. */
  readonly mayEvict: boolean
  /** It starts, in this tick. */
  start(): void
  /** There is no room, and it may not ask for any. */
  giveUp(): void
}

export interface Admission {
  join(candidate: Candidate): void
  /** Leaves the queue. */
  withdraw(candidate: Candidate): void
  /** Gives back the place of a start that is over, unless it was passed on already. */
  finish(candidate: Candidate): void
  /** How many start before it; undefined when it does not wait, or is too far behind for a number to mean something. */
  ahead(candidate: Candidate): number | undefined
  /** Looks again who may start: something became free, or unused. */
  review(): void
  /** Milliseconds until the turn of one that waits for it should come when each start takes `startMs`. */
  turnInMs(candidate: Candidate, startMs: number): number
  /** True while nobody may start for want of room. */
  isFull(): boolean
}

/** Places of a queue that are worth counting. */
const countedPlaces = 100

/** After this long a start gives its place to the next. */
const slotMs = 2_000

export const createAdmission = (clock: Clock, slots: number, capacity: Capacity): Admission => {
  const queue = new FairQueue<Candidate>()
  const starting = new Map<Candidate, () => void>()
  let cancelReview: (() => void) | undefined
  let isReviewing = false

  const startNext = (): void => {
    const candidate = queue.next()
    if (candidate === undefined) return
    const passOn = (): void => {
      starting.delete(candidate)
      review()
    }
    starting.set(candidate, clock.setTimer(slotMs, passOn))
    candidate.start()
  }

  const makeRoom = (): void => {
    const waiting = [...queue]
    for (const candidate of waiting) if (!candidate.mayEvict) candidate.giveUp()
    const wanted = [...queue].slice(0, slots - starting.size)
    const now = clock.nowMs()
    const againAtMs = capacity.makeRoom(
      wanted.map(({ key }) => key),
      now,
    )
    if (againAtMs !== undefined) cancelReview = clock.setTimer(Math.max(againAtMs - now, 1), review)
  }

  const review = (): void => {
    // Starting one may end another in the same tick, which asks for a review: the loop under way sees the change anyway.
    if (isReviewing) return
    cancelReview?.()
    cancelReview = undefined
    isReviewing = true
    try {
      while (queue.size > 0 && starting.size < slots && capacity.hasRoom()) startNext()
      if (queue.size > 0 && starting.size < slots) makeRoom()
    } finally {
      isReviewing = false
    }
  }

  return {
    join(candidate) {
      queue.add(candidate.name.service, candidate)
      review()
    },
    withdraw(candidate) {
      queue.delete(candidate.name.service, candidate)
      // Nobody is left for whom to look again later.
      if (queue.size === 0) review()
    },
    finish(candidate) {
      starting.get(candidate)?.()
      starting.delete(candidate)
      review()
    },
    ahead: (candidate) => queue.ahead(candidate.name.service, candidate, countedPlaces),
    review,
    turnInMs(candidate, startMs) {
      const ahead = starting.size + (queue.ahead(candidate.name.service, candidate) ?? 0)
      return Math.floor(ahead / slots) * Math.min(startMs, slotMs)
    },
    isFull: () => !capacity.hasRoom(),
  }
}
