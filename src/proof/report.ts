// What an attack on an adapter found, as plain data: it is printed, stored, scored and shown by others. A row that was not tried
// says why, and so does one that broke.
import type { Network, Probe } from '../isolation/adapter.ts'

export type Outcome =
  /** Tried, and it got nowhere: the machine shows no trace of it. */
  | 'stopped'
  /** Nothing is promised here, and it got through; or it is known to, and trying it would harm the machine. */
  | 'allowed'
  /** Promised, and not kept. */
  | 'broken'
  | 'not run'

export interface AttackRow {
  /** As in the attack corpus: '12', '14.port'. */
  readonly row: string
  /** True where it holds; what an instance cannot do. */
  readonly sentence: string
  /** The network of the instance that tried it; null where it makes no difference. */
  readonly network: Network | null
  readonly outcome: Outcome
  /** Promises of the adapter that would be broken by it; 'launcher' is what tenement itself promises of every instance. */
  readonly promisedBy: readonly string[]
  /** What got through, why it was not run, or why nothing is promised. */
  readonly because: readonly string[]
}

export type Counts = Readonly<Record<Outcome, number>>

export interface AttackReport {
  readonly adapter: string
  /** False where it cannot run on this machine: then no row was run. */
  readonly usable: boolean
  readonly problem: Probe['problem'] | null
  readonly lost: Probe['lost']
  readonly startedAtMs: number
  readonly durationMs: number
  readonly rows: readonly AttackRow[]
  readonly counts: Counts
}

export const countsOf = (rows: readonly AttackRow[]): Counts => {
  const of = (outcome: Outcome): number => rows.filter((row) => row.outcome === outcome).length
  return { stopped: of('stopped'), allowed: of('allowed'), broken: of('broken'), 'not run': of('not run') }
}
