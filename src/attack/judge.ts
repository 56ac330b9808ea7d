// What was tried inside an instance, against what was promised of it. Pure. What the instance says of itself can only speak
// against it: that an attack got nowhere must be seen on the machine's side too, by whoever planted something there.
import type { Attempt, Tried } from './attempt.ts'
import type { Promised, Row } from './rows.ts'

export interface Verdict {
  readonly row: string
  readonly promised: Promised
  /** 'nothing to try': this machine has none of what it aims at. */
  readonly found: 'blocked' | 'got through' | 'nothing to try'
  /** Whether the promise is kept; undefined where none was made or it could not be tried. */
  readonly isKept: boolean | undefined
  /** What got through or was answered otherwise than it should, in words. */
  readonly because: readonly string[]
}

/** How a kernel answers that has no such thing at all. */
const lacking = ['ENOSYS', 'EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ESOCKTNOSUPPORT', 'ENODEV', 'ENXIO', 'SIGSEGV', 'ENOENT']

export const judge = (
  row: Row,
  tried: Tried,
  level: { readonly promised: Promised; readonly hasOwnUid: boolean },
): Verdict => {
  // What only its uid keeps from it, it gets where it shares that with everybody: said, and asserted like all that is allowed.
  const isShared = level.promised === 'blocked by its uid' && !level.hasOwnUid
  const promised = isShared ? (row.withSharedUid ?? 'allowed by design') : level.promised
  const verdict = (isKept: boolean | undefined, because: readonly string[]): Verdict => ({
    row: row.row,
    promised,
    found: foundIn(tried),
    isKept,
    because,
  })
  const broken = [...tried.attempts, tried.twin].filter(({ outcome }) => outcome === 'failed')
  if (broken.length > 0) return verdict(false, broken.map(inWords))
  if (promised === 'does not apply' || promised === 'depends on the machine') return verdict(undefined, [])
  if (tried.twin.outcome !== 'done') return verdict(false, [`the benign twin did not work: ${inWords(tried.twin)}`])
  if (promised === 'allowed by design') return allowed(tried, verdict)
  if (foundIn(tried) === 'nothing to try') return verdict(undefined, tried.attempts.map(inWords))
  const against = tried.attempts.filter((attempt) => isAgainst(attempt, row))
  return verdict(against.length === 0, against.map(inWords))
}

type Give = (isKept: boolean | undefined, because: readonly string[]) => Verdict

const allowed = (tried: Tried, verdict: Give): Verdict => {
  if (foundIn(tried) === 'got through') return verdict(true, [])
  const isLacking = tried.attempts.every(({ outcome, said }) => outcome === 'not here' || lacking.includes(said))
  return verdict(isLacking ? undefined : false, tried.attempts.map(inWords))
}

const foundIn = ({ attempts }: Tried): Verdict['found'] => {
  if (attempts.some(({ outcome }) => outcome === 'done')) return 'got through'
  return attempts.some(({ outcome }) => outcome === 'refused') ? 'blocked' : 'nothing to try'
}

const isAgainst = ({ outcome, said }: Attempt, { answers }: Row): boolean =>
  outcome === 'done' || (outcome === 'refused' && answers !== undefined && !answers.includes(said))

const inWords = ({ attempt, outcome, said }: Attempt): string =>
  `${attempt}: ${outcome}${said === '' ? '' : `, ${said}`}`
