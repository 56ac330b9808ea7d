// How slow a client may be. One that hardly moves holds its instance awake, and a place in memory, for as long as it likes.

export interface Patience {
  /** A request body must bring at least `bytes` in every `windowMs` in which nobody but the client is waited for. */
  readonly body: { readonly bytes: number; readonly windowMs: number }
  /** Milliseconds for which a client may take nothing of what is there for it. */
  readonly readMs: number
}

/** A kilobyte a second is below what the slowest lines carry; five minutes is longer than a laptop's short sleep. */
export const usualPatience: Patience = { body: { bytes: 30 * 1_024, windowMs: 30_000 }, readMs: 300_000 }
