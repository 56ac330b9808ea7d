// How often each call was made, and what two profiles say to it: the base of the proposal, and the one it ran under. Its size
// depends on the calls there are, never on how many a tenant makes or with which arguments.
import { type Attempt, type Policy, ruleFor } from '../seccomp/policy.ts'
import type { Made } from './lines.ts'

/** Most different sets of arguments that are kept of what the base refuses. */
const mostExamples = 3

/** One call, by its number. */
export interface Tallied {
  readonly number: number
  count: number
  /** How often the profile it ran under refused it. */
  refused: number
  /** How often it went through though the base would refuse it. */
  beyond: number
  /** The entries of the base that allowed it: 'syscalls[3]'. */
  readonly allowedAt: Set<string>
  /** Arguments of calls that the base refuses. */
  readonly examples: string[]
}

export interface Tally {
  add(made: Made): void
  readonly calls: ReadonlyMap<number, Tallied>
}

const answers = ['errno', 'trap', 'kill_thread', 'kill_process', 'trace']

const lookUp = (policy: Policy, attempt: Attempt) => {
  const call = policy.calls.get(attempt.number)
  const rule = call && ruleFor(call, attempt)
  return { rule, isAllowed: !answers.includes((rule?.action ?? policy.defaultAction).kind) }
}

export const createTally = (base: Policy, running: Policy): Tally => {
  const calls = new Map<number, Tallied>()

  const talliedOf = (number: number): Tallied => {
    const known = calls.get(number)
    if (known !== undefined) return known
    const fresh: Tallied = { number, count: 0, refused: 0, beyond: 0, allowedAt: new Set(), examples: [] }
    calls.set(number, fresh)
    return fresh
  }

  return {
    calls,
    add: ({ number, args }) => {
      const attempt = { arch: base.architecture.audit, number, args }
      const tallied = talliedOf(number)
      const inBase = lookUp(base, attempt)
      const isRefused = !lookUp(running, attempt).isAllowed
      tallied.count += 1
      if (isRefused) tallied.refused += 1
      if (inBase.isAllowed && inBase.rule !== undefined) tallied.allowedAt.add(inBase.rule.place)
      if (inBase.isAllowed) return
      if (!isRefused) tallied.beyond += 1
      keepExample(tallied.examples, args)
    },
  }
}

const keepExample = (examples: string[], args: readonly bigint[]): void => {
  const written = args.map((value) => `0x${value.toString(16)}`).join(', ')
  if (examples.length < mostExamples && !examples.includes(written)) examples.push(written)
}
