// The rows of an attack, promise by promise: which of them speak of it, and whether it held. Pure; knows nothing of HTML.
import type { IsolationAdapter, Strength } from '../../isolation/adapter.ts'
import { capabilities } from '../../isolation/capabilities.ts'
import { byLauncher } from '../../proof/promised.ts'
import type { AttackReport, AttackRow } from '../../proof/report.ts'

export type Held = 'broken' | 'lost' | 'kept' | 'not tried'

export interface PromiseRows {
  /** 'pid.private', or what the launcher sees to. */
  readonly name: string
  readonly sentence: string
  readonly strength: Strength
  readonly held: Held
  /** Why this machine cannot keep it. */
  readonly lost?: AttackReport['lost'][number]
  readonly rows: readonly AttackRow[]
}

const ofLauncher = 'what tenement sees to itself, for every instance, whatever confines it'

/** What the adapter promises, with what is wrong first. */
export const promiseRowsOf = (
  report: AttackReport,
  promised: IsolationAdapter['capabilities'],
): readonly PromiseRows[] => {
  const made = Object.entries(promised).flatMap(([name, strength]): PromiseRows[] =>
    strength === undefined ? [] : [promiseRows(name, strength, report)],
  )
  const launchers = report.rows.filter(({ promisedBy }) => promisedBy.includes(byLauncher))
  const own: PromiseRows = {
    ...{ name: byLauncher, sentence: ofLauncher, strength: 'enforced', rows: launchers },
    held: heldBy(launchers),
  }
  return [...made, own].sort((one, other) => order.indexOf(one.held) - order.indexOf(other.held))
}

const order: readonly Held[] = ['broken', 'lost', 'kept', 'not tried']

/** Tried, and nothing was promised; or of no adapter at all. */
export const unpromisedRows = (report: AttackReport, promises: readonly PromiseRows[]): readonly AttackRow[] => {
  const told = new Set(promises.flatMap(({ rows }) => rows))
  return report.rows.filter((row) => !told.has(row))
}

const promiseRows = (name: string, strength: Strength, { rows, lost }: AttackReport): PromiseRows => {
  const sentence = capabilities[name]?.promise ?? name
  const loss = lost.find(({ capability, onlyWith }) => capability === name && onlyWith === undefined)
  const about = rowsAbout(name, rows)
  if (loss !== undefined) return { name, sentence, strength, held: 'lost', lost: loss, rows: about }
  return { name, sentence, strength, held: heldBy(about), rows: about }
}

/** Those that would break it; of a promise that the launcher keeps for all, those that prove it. */
const rowsAbout = (name: string, rows: readonly AttackRow[]): readonly AttackRow[] => {
  const own = rows.filter(({ promisedBy }) => promisedBy.includes(name))
  if (own.length > 0) return own
  const proofs: readonly number[] = capabilities[name]?.proofs ?? []
  const proving = rows.filter(({ row }) => proofs.includes(Number.parseInt(row, 10)))
  const kept = proving.filter(({ promisedBy }) => promisedBy.includes(byLauncher))
  return kept.length > 0 ? kept : proving
}

const heldBy = (rows: readonly AttackRow[]): Held => {
  if (rows.some(({ outcome }) => outcome === 'broken')) return 'broken'
  return rows.some(({ outcome, promisedBy }) => outcome === 'stopped' && promisedBy.length > 0) ? 'kept' : 'not tried'
}
