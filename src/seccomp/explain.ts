// A policy as rows: for each call what it gets, when, and why the profile says so. Pure; knows no terminal.
import { describeAction } from './actions.ts'
import { describeCondition } from './conditions.ts'
import type { Call, Policy, Rule } from './policy.ts'

/** One entry of a profile as it bears on one call. */
export interface Explained {
  readonly name: string
  readonly number: number
  /** 'allow', 'EPERM' */
  readonly action: string
  /** 'arg0 = 1 and arg1 & 0xf = 2'; '' for every call, 'otherwise' for those that no other row of the name decides. */
  readonly when: string
  readonly why: string | null
  /** Where it stands: 'syscalls[3]', or 'defaultAction'. */
  readonly place: string
}

const explainRule = ({ name, number }: Call, rule: Rule, when: string): Explained => ({
  name,
  number,
  action: describeAction(rule.action),
  when,
  why: rule.comment ?? null,
  place: rule.place,
})

export const explainCall = (policy: Policy, call: Call): readonly Explained[] => {
  const rows = call.rules.map((rule) => explainRule(call, rule, rule.conditions.map(describeCondition).join(' and ')))
  if (call.rules.some(({ conditions }) => conditions.length === 0)) return rows
  const rest = call.otherwise
    ? explainRule(call, call.otherwise, call.rules.length > 0 ? 'otherwise' : '')
    : explainDefault(policy, call.name, call.number, 'otherwise')
  return [...rows, rest]
}

export const explainDefault = (policy: Policy, name: string, number: number, when = ''): Explained => ({
  name,
  number,
  action: describeAction(policy.defaultAction),
  when,
  why: null,
  place: 'defaultAction',
})

/** Every call the profile names, by name. */
export const explainPolicy = (policy: Policy): readonly Explained[] =>
  [...policy.calls.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap((call) => explainCall(policy, call))
