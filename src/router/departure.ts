// Whether the client of one request has left, and who wants to hear of it. What is asked of it is a part of AbortSignal; a whole
// one for every request costs more than all else the router does with that request, most of it for an error nobody reads.
import type { Gone } from './wake.ts'

export class Departure implements Gone {
  readonly #listeners = new Set<() => void>()
  #aborted = false

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#aborted ? 'the client has left' : undefined
  }

  /** Each is called once, at most. */
  addEventListener(_event: 'abort', listener: () => void): void {
    this.#listeners.add(listener)
  }

  removeEventListener(_event: 'abort', listener: () => void): void {
    this.#listeners.delete(listener)
  }

  /** Tells everybody; a second time does nothing. */
  abort(): void {
    if (this.#aborted) return
    this.#aborted = true
    for (const listener of this.#listeners) listener()
    this.#listeners.clear()
  }
}
