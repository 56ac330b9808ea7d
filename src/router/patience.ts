// How slow a client may be. One that hardly moves holds its instance awake, and a place in memory, for as long as it likes.

/** At least `bytes` in every `windowMs`. */
export interface Pace {
  readonly bytes: number
  readonly windowMs: number
}

export interface Patience {
  /** Of a request body, in every window in which nobody but the client is waited for. */
  readonly body: Pace
  /** Of what is there to be taken, by a client or at the end of a tunnel, in every window in which there always is something. */
  readonly read: Pace
}

/** A kilobyte a second is below what the slowest lines carry; five minutes is longer than a laptop's short sleep. */
export const usualPatience: Patience = {
  body: { bytes: 30 * 1_024, windowMs: 30_000 },
  read: { bytes: 300 * 1_024, windowMs: 300_000 },
}
