// Whether somebody is gone, a client or an instance, and who wants to hear of it. What is asked of it is a part of AbortSignal; a
// whole one for every request costs more than all else the router does with that request, most of it for an error nobody reads.

/** Aborts when a client leaves, or an instance must get no further request. Every AbortSignal is one. */
export interface Gone {
  readonly aborted: boolean
  /** Why, once it is aborted. */
  readonly reason: unknown
  addEventListener(event: 'abort', listener: () => void, options?: { readonly once: boolean }): void
  removeEventListener(event: 'abort', listener: () => void): void
}

export class Departure implements Gone {
  readonly #why: string
  readonly #listeners = new Set<() => void>()
  #aborted = false

  /** `why` is the reason it has once it is aborted. */
  constructor(why: string) {
    this.#why = why
  }

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#aborted ? this.#why : undefined
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
