// How many requests may be sent to one instance a second time. A retry that helps one client is a storm when every request
// needs one, so retries are a share of the requests; a quiet instance has a few in hand all the same.

/** Of its requests. */
const share = 0.1
/** In hand at first, and at most. */
const most = 10
/** Without any request one more comes to hand each time so much has passed. */
const refillMs = 10_000

export interface RetryBudget {
  /** A request is sent for the first time. */
  deposit(): void
  /** True when one may be sent again; it is counted as done. */
  withdraw(): boolean
}

/** `nowMs` is monotonic. */
export const createRetryBudget = (nowMs: () => number = () => performance.now()): RetryBudget => {
  let left = most
  let seenMs = nowMs()
  const add = (retries: number): void => {
    left = Math.min(most, left + retries)
  }
  return {
    deposit: () => add(share),
    withdraw: () => {
      const now = nowMs()
      add((now - seenMs) / refillMs)
      seenMs = now
      if (left < 1) return false
      left -= 1
      return true
    },
  }
}
