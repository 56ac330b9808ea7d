// How many instances may run at once (max_running), and who makes room: the one whose last use is longest ago, if nobody
// uses it now. It is never a reason to stop an instance that serves a request.
// It does not know who wants to start; admission.ts asks.

/** An instance with a process, in whatever phase. */
export interface Occupant {
  /** Ending, or about to: its place will be free. */
  readonly isLeaving: boolean
  /** Monotonic time from which it may be stopped for others; undefined while it is in use or not ready. */
  readonly evictableFromMs: number | undefined
  /** When it was last used, on any one clock for all. */
  readonly lastUsedMs: number
  /** `forWhom` gets its place. */
  evict(forWhom: string): void
}

export interface Capacity {
  occupy(occupant: Occupant): void
  vacate(occupant: Occupant): void
  hasRoom(): boolean
  /**
   * Sees to it that a place for each of `wanted` (instances, by name) is about to be free, as far as unused instances allow.
   * Returns the monotonic time at which asking again makes sense though nothing else happened.
   */
  makeRoom(wanted: readonly string[], nowMs: number): number | undefined
}

export const createCapacity = (maxRunning = Number.POSITIVE_INFINITY): Capacity => {
  const occupants = new Set<Occupant>()

  const longestUnused = (nowMs: number): Occupant | undefined => {
    let chosen: Occupant | undefined
    for (const occupant of occupants) {
      const { evictableFromMs, lastUsedMs } = occupant
      if (evictableFromMs === undefined || evictableFromMs > nowMs) continue
      if (chosen === undefined || lastUsedMs < chosen.lastUsedMs) chosen = occupant
    }
    return chosen
  }

  const nextEvictableMs = (): number | undefined => {
    const times = [...occupants].flatMap(({ evictableFromMs }) => evictableFromMs ?? [])
    return times.length === 0 ? undefined : Math.min(...times)
  }

  const leaving = (): number => [...occupants].filter(({ isLeaving }) => isLeaving).length

  return {
    occupy(occupant) {
      occupants.add(occupant)
    },
    vacate(occupant) {
      occupants.delete(occupant)
    },
    hasRoom: () => occupants.size < maxRunning,
    makeRoom(wanted, nowMs) {
      for (const forWhom of wanted.slice(leaving())) {
        const occupant = longestUnused(nowMs)
        if (occupant === undefined) return nextEvictableMs()
        occupant.evict(forWhom)
      }
      return undefined
    },
  }
}
