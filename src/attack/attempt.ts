// What an attack is: a row of the table, things hostile code tries for it, and its benign twin, which every instance must be
// able to do. An attempt that returns got what it wanted; one that throws did not. The instance tells what it got itself, so
// whoever must rely on the answer looks at the machine's side as well. Knows neither rows nor adapters.

/** What was asked for was not given; the message is the name of the errno or signal, or says what was found instead. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

/** There is nothing here to try it on: this kernel or this machine has no such thing. */
export class NotHere extends Error {
  override readonly name = 'NotHere'
}

type Act = () => unknown

export interface Attack {
  readonly row: string
  /** By what is tried, in words. Each resolves with anything when it got what it wanted. */
  readonly attempts: Readonly<Record<string, Act>>
  /** What must work beside it, in words. */
  readonly twin: readonly [what: string, act: Act]
}

export type Outcome = 'done' | 'refused' | 'not here' | 'failed'

export interface Attempt {
  readonly attempt: string
  readonly outcome: Outcome
  /** How the kernel refused, or what was got. */
  readonly said: string
}

/** What became of one row inside an instance. */
export interface Tried {
  readonly row: string
  readonly attempts: readonly Attempt[]
  readonly twin: Attempt
}

export const tryAttack = async ({ row, attempts, twin }: Attack): Promise<Tried> => {
  const tried: Attempt[] = []
  for (const [attempt, act] of Object.entries(attempts)) tried.push(await tryOne(attempt, act))
  return { row, attempts: tried, twin: await tryOne(...twin) }
}

const tryOne = async (attempt: string, act: Act): Promise<Attempt> => {
  try {
    return { attempt, outcome: 'done', said: wordsOf(await act()) }
  } catch (error) {
    return { attempt, ...refusalOf(error) }
  }
}

const wordsOf = (value: unknown): string => (value === undefined ? '' : String(value).slice(0, 300))

/** Only what the kernel answered counts as a refusal: a mistake in an attack must not look like a defence. */
const refusalOf = (error: unknown): { readonly outcome: Outcome; readonly said: string } => {
  if (error instanceof Refused) return { outcome: 'refused', said: error.message }
  if (error instanceof NotHere) return { outcome: 'not here', said: error.message }
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  if (code !== undefined && /^E[A-Z0-9]+$/.test(code)) return { outcome: 'refused', said: code }
  return { outcome: 'failed', said: error instanceof Error ? String(error.stack) : String(error) }
}

/** Throws Refused with this reason where something was not so. */
export const requireThat = (isSo: boolean, otherwise: string): void => {
  if (!isSo) throw new Refused(otherwise)
}

/** What it worked on of several things; throws Refused with the last answer where it worked on none. */
export const firstThatWorks = <T>(things: Iterable<T>, act: (thing: T) => unknown): string => {
  let last = 'there is none'
  for (const thing of things) {
    const { outcome, said } = outcomeOf(thing, act)
    if (outcome === 'done') return `${thing}`
    last = said
  }
  throw new Refused(last)
}

const outcomeOf = <T>(thing: T, act: (thing: T) => unknown): Pick<Attempt, 'outcome' | 'said'> => {
  try {
    act(thing)
    return { outcome: 'done', said: '' }
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal.outcome === 'failed') throw error
    return refusal
  }
}
