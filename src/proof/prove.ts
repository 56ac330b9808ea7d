// The whole run: every adapter that was asked for, all at the same time, and the machine they stand on.
import type { IsolationAdapter } from '../isolation/adapter.ts'
import { type AttackOptions, attack, usualParent } from './attack.ts'
import { type BuildFinding, probeBuilds } from './builds.ts'
import { type Fingerprint, takeFingerprint } from './fingerprint.ts'
import { nobodysIdentity } from './place.ts'
import type { AttackReport } from './report.ts'

export interface Proof {
  /** Whether every promise that was tried is kept. */
  readonly ok: boolean
  readonly startedAtMs: number
  readonly durationMs: number
  readonly fingerprint: Fingerprint
  /** Known faults of what confinement is built on, on this machine. */
  readonly builds: readonly BuildFinding[]
  readonly adapters: readonly AttackReport[]
}

export interface Suspect extends Pick<AttackOptions, 'probe' | 'options' | 'only'> {
  readonly adapter: IsolationAdapter
}

export interface ProveOptions {
  readonly onStep?: (adapter: string, what: string) => void
  readonly signal?: AbortSignal
}

/** Rejects, when everything of it is removed, where something could not be tried at all or `signal` was given. */
export const prove = async (suspects: readonly Suspect[], options: ProveOptions): Promise<Proof> => {
  const { onStep, signal } = options
  const isRoot = process.geteuid?.() === 0
  const startedAtMs = Date.now()
  const builds = await probeBuilds({ identity: nobodysIdentity(isRoot), parent: usualParent(isRoot) })
  // All of them end before one that failed is told of: each has a place to remove.
  const attacks = await Promise.allSettled(
    suspects.map(({ adapter, ...rest }) =>
      attack(adapter, {
        ...rest,
        ...(signal === undefined ? {} : { signal }),
        onStep: (what) => onStep?.(adapter.name, what),
      }),
    ),
  )
  const adapters = attacks.map((each) => {
    if (each.status === 'rejected') throw each.reason
    return each.value
  })
  return {
    ok: adapters.every(({ counts }) => counts.broken === 0),
    startedAtMs,
    durationMs: Date.now() - startedAtMs,
    fingerprint: await takeFingerprint(),
    builds,
    adapters,
  }
}
