// What the stored proofs are worth today, in one line: for people who look whether they can still rely on it.
import { changesBetween, type Fingerprint } from './fingerprint.ts'
import type { Stored, StoredReport } from './store.ts'

export interface LastProof {
  readonly state: 'proved' | 'stale' | 'never'
  /** Of the oldest of them; null where there is none. */
  readonly atMs: number | null
  /** Promises that were broken. */
  readonly broken: number | null
  /** Of all that were asked for, what has changed since, or which of them were never proved. */
  readonly because: readonly string[]
  /** 'last proof: 3 days ago, 0 broken' */
  readonly line: string
}

const command = 'run tenement check --attack'

export const lastProofOf = async (
  { adapters }: Stored,
  names: readonly string[],
  now: { readonly fingerprint: () => Promise<Fingerprint>; readonly atMs: number },
): Promise<LastProof> => {
  const found = names.flatMap((name): StoredReport[] => {
    const stored = Object.hasOwn(adapters, name) ? adapters[name] : undefined
    return stored === undefined ? [] : [stored]
  })
  const missing = names.filter((name) => !Object.hasOwn(adapters, name))
  const atMs = found.length === 0 ? null : Math.min(...found.map(({ report }) => report.startedAtMs))
  const broken = found.length === 0 ? null : found.reduce((sum, { report }) => sum + report.counts.broken, 0)
  const told = (state: LastProof['state'], because: readonly string[], line: string): LastProof => ({
    ...{ state, atMs, broken, because, line },
  })
  if (missing.length > 0)
    return told(
      'never',
      missing,
      `never proved${missing.length === names.length ? '' : ` for ${missing.join(', ')}`}: ${command}`,
    )
  // Only now: it starts a program, and most starts of a server have no proof to compare.
  const today = await now.fingerprint()
  const changes = [...new Set(found.flatMap(({ fingerprint }) => changesBetween(fingerprint, today)))]
  if (changes.length > 0) return told('stale', changes, `last proof is stale: ${changes.join('; ')}: ${command}`)
  const what = broken === 0 ? '0 broken' : `${broken} broken: ${command}`
  return told('proved', [], `last proof: ${ageOf(now.atMs - (atMs ?? now.atMs))} ago, ${what}`)
}

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const

/** '3 days'; rounded down, and never less than a second. */
const ageOf = (ms: number): string => {
  const [name, unit] = units.find(([, unitMs]) => ms >= unitMs) ?? (['second', 1_000] as const)
  const count = Math.max(1, Math.floor(ms / unit))
  return `${count} ${name}${count === 1 ? '' : 's'}`
}
