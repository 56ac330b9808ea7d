// Facts → a score from 0 (nothing of what is asked about is open) to 10, with what it is made of. Pure.
import type { Facts } from './facts.ts'
import { type Term, type TermName, terms } from './terms.ts'

/** A part of a score. */
export interface Share {
  readonly term: TermName
  readonly points: number
  /** What it would be at its worst. */
  readonly of: number
  /** What an instance can do, with what in particular. */
  readonly exposes: string
  readonly because: string
}

export interface Score {
  /** One decimal: what is compared with `max_exposure` is what is shown. */
  readonly score: number
  /** Those that count, the heaviest first; one of two equals stands where it does in the table. */
  readonly shares: readonly Share[]
}

const all: readonly (readonly [TermName, Term])[] = (Object.keys(terms) as TermName[]).map((name) => [
  name,
  terms[name],
])

const worst = 10
const pointsPerWeight = worst / all.reduce((sum, [, { weight }]) => sum + weight, 0)

export type Level = 'low' | 'medium' | 'high'

/** In a word, for people who have never seen another score. */
export const levelOf = (score: number): Level => {
  if (score <= 2) return 'low'
  return score <= 5 ? 'medium' : 'high'
}

export const scoreOf = (facts: Facts): Score => {
  const shares = all
    .map(([name, term]) => shareOf(name, term, facts))
    .filter(({ points }) => points > 0)
    .sort((one, other) => other.points - one.points)
  // In the order of the table, so that equal facts have equal sums.
  const sum = all.reduce((total, [, term]) => total + term.weight * term.badness(facts), 0)
  return { score: Math.round(sum * pointsPerWeight * 10) / 10, shares }
}

const shareOf = (
  term: TermName,
  { weight, badness, exposes, because, promises, detail }: Term,
  facts: Facts,
): Share => {
  const bad = badness(facts)
  const isWeak = bad < 1 && promises.some((name) => facts.kept[name] === 'best-effort')
  return {
    ...{ term, because },
    points: bad * weight * pointsPerWeight,
    of: weight * pointsPerWeight,
    exposes: `${exposes}${detail === undefined ? '' : `: ${detail(facts)}`}${isWeak ? ', where it works against what is promised' : ''}`,
  }
}
