// What the proofs of a plug-in found, as plain data: printed by the command line, told test by test to a test runner.

export type Outcome =
  | 'held'
  /** Promised, or asked of every adapter, and not so. */
  | 'failed'
  | 'not run'

export interface Proof {
  /** The promise it is about, or 'lifecycle' for what is asked of every adapter. */
  readonly about: string
  /** True where it holds. */
  readonly sentence: string
  readonly outcome: Outcome
  /** What was seen instead, or why it was not run. */
  readonly because: readonly string[]
}

export interface ConformanceReport {
  /** What the adapter calls itself. */
  readonly name: string
  readonly file: string
  readonly durationMs: number
  readonly proofs: readonly Proof[]
  readonly counts: Readonly<Record<Outcome, number>>
}

export const countsOf = (proofs: readonly Proof[]): ConformanceReport['counts'] => {
  const of = (outcome: Outcome): number => proofs.filter((proof) => proof.outcome === outcome).length
  return { held: of('held'), failed: of('failed'), 'not run': of('not run') }
}
