// Watches for instances that nobody has used for their idle timeout: one heap and one timer for all of them.
// A request costs nothing here: an instance only remembers when it was last used, and its place in the heap is looked at
// again when the timer fires. It does not know what an instance is, nor what "sleep" does.
import type { Clock } from './clock.ts'
import { DeadlineHeap } from './deadlineHeap.ts'

/** What can fall asleep. */
export interface Idler {
  /** Idle-clock milliseconds at which it would be idle if nothing happened from now on; `nowMs` of that same clock. */
  idleAtMs(nowMs: number): number
  /** Called once that time has passed, in the same tick in which it was asked: it sleeps, or is frozen and watched again. */
  sleep(): void
}

export interface IdleWatch {
  /** The clock idleness is measured by: monotonic time less the time in which this process could not run. */
  nowMs(): number
  watch(idler: Idler): void
  unwatch(idler: Idler): void
}

/** The timer fires at least this often while anything is watched, so that a longer silence shows the process stood still. */
const heartbeatMs = 10_000

/** A gap this long means the machine was suspended or the process stopped: nobody could have used anything meanwhile. */
const gapMs = 30_000

export const createIdleWatch = (clock: Clock): IdleWatch => {
  const heap = new DeadlineHeap<Idler>()
  let lostMs = 0
  let seenMs = clock.nowMs()
  let cancelTimer: (() => void) | undefined

  /** Without this a suspended laptop or a paused virtual machine would put everybody to sleep in the moment it goes on. */
  const nowMs = (): number => {
    const now = clock.nowMs()
    if (heap.size > 0 && now - seenMs > gapMs) lostMs += now - seenMs
    seenMs = now
    return now - lostMs
  }

  const arm = (): void => {
    cancelTimer?.()
    cancelTimer = undefined
    const first = heap.first
    if (first === undefined) return
    const waitMs = Math.min(Math.max(first.deadlineMs - nowMs(), 0), heartbeatMs)
    // Rounded up: a timer that fires a fraction early would find nothing due and spin until it is.
    cancelTimer = clock.setTimer(Math.ceil(waitMs), check)
  }

  const check = (): void => {
    cancelTimer = undefined
    const now = nowMs()
    for (let first = heap.first; first !== undefined && first.deadlineMs <= now; first = heap.first) {
      const idleAtMs = first.item.idleAtMs(now)
      if (idleAtMs > now) {
        heap.set(first.item, idleAtMs)
        continue
      }
      heap.delete(first.item)
      first.item.sleep()
    }
    arm()
  }

  return {
    nowMs,
    watch(idler) {
      const now = nowMs()
      heap.set(idler, idler.idleAtMs(now))
      if (heap.first?.item === idler) arm()
    },
    unwatch(idler) {
      heap.delete(idler)
      if (heap.size === 0) arm()
    },
  }
}
