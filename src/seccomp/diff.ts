// Two policies → the calls they decide differently, by what their entries say. Order and wording of a file are no difference;
// two ways of saying the same with other conditions are. Pure.
import { type Explained, explainCall, explainDefault } from './explain.ts'
import type { Policy } from './policy.ts'

export interface Difference {
  readonly name: string
  readonly number: number
  /** What each says, in sentences: 'EPERM', 'allow when arg0 = 1', 'otherwise ENOSYS' */
  readonly before: readonly string[]
  readonly after: readonly string[]
}

export const differencesBetween = (before: Policy, after: Policy): readonly Difference[] => {
  const names = new Map([...before.calls.values(), ...after.calls.values()].map(({ number, name }) => [number, name]))
  const all = [...names].map(([number, name]) => ({
    name,
    number,
    before: sentencesOf(before, number, name),
    after: sentencesOf(after, number, name),
  }))
  const rest = { name: 'every other call', number: -1, before: defaultOf(before), after: defaultOf(after) }
  return [rest, ...all.sort((a, b) => (a.name < b.name ? -1 : 1))].filter(isDifferent)
}

const isDifferent = ({ before, after }: Difference): boolean => before.join('\n') !== after.join('\n')

const defaultOf = (policy: Policy): readonly string[] => [explainDefault(policy, '', -1).action]

const sentencesOf = (policy: Policy, number: number, name: string): readonly string[] => {
  const call = policy.calls.get(number)
  const rows = call ? explainCall(policy, call) : [explainDefault(policy, name, number)]
  return [...new Set(rows.map(sentenceOf))].sort()
}

const sentenceOf = ({ action, when }: Explained): string => {
  if (when === '') return action
  return when === 'otherwise' ? `otherwise ${action}` : `${action} when ${when.split(' and ').sort().join(' and ')}`
}
