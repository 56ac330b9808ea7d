// How often each instance was woken within the last minute. One that is woken again and again costs a start each time, where
// staying awake would cost next to nothing. Kept apart from the instances, since those of strangers' names are forgotten as soon
// as they sleep; what is kept is bounded, and the ones whose last wake is longest ago go first.

const windowMs = 60_000

/** Instances; more than a machine can start in a minute. */
const mostInstances = 10_000

export class WakeBook {
  /** Monotonic times by instance; the instance that was woken last comes last. */
  readonly #wakes = new Map<string, readonly number[]>()

  /** Counts a wake. True when there were more than `most` within a minute; they are counted from nothing again then. */
  note(instance: string, nowMs: number, most: number): boolean {
    const recent = (this.#wakes.get(instance) ?? []).filter((atMs) => nowMs - atMs < windowMs)
    this.#wakes.delete(instance)
    this.#dropOld(nowMs)
    if (recent.length >= most) return true
    // As long as it is: an array that was spread into another has room for many more.
    this.#wakes.set(instance, recent.concat(nowMs))
    return false
  }

  /** Instances it remembers. */
  get size(): number {
    return this.#wakes.size
  }

  #dropOld(nowMs: number): void {
    for (const [instance, wakes] of this.#wakes) {
      const isOver = nowMs - (wakes.at(-1) ?? 0) >= windowMs
      if (!isOver && this.#wakes.size < mostInstances) return
      this.#wakes.delete(instance)
    }
  }
}
