// What a profile allows that needs a reason and has none. A reason is the comment of the entry that allows it; a default has
// nowhere to put one, so what it lets through needs an entry of its own. Pure; whether a reason is a good one it cannot know.
import type { Danger } from './dangers.ts'
import { dangers } from './dangers.ts'
import type { Call, Policy, Rule } from './policy.ts'
import { ruleFor } from './policy.ts'

/** What stands where a reason is to be written: such a comment is none. */
export const reasonNeeded = 'REASON NEEDED'

export interface Unreasoned {
  /** 'bpf', or 'socket' with the arguments that are dangerous. */
  readonly call: string
  readonly args: readonly string[]
  /** What it opens. */
  readonly why: string
  readonly source: string
  /** Where it is allowed: 'syscalls[3]', or 'defaultAction'. */
  readonly place: string
}

/** A dangerous call that a policy allows, and what does; undefined for the profile's default. */
interface Allowed {
  readonly danger: Danger
  readonly rule: Rule | undefined
}

/** `exists` tells whether the policy's architecture has a call: what it does not have, no default lets through. */
export const lintPolicy = (policy: Policy, exists: (name: string) => boolean): readonly Unreasoned[] =>
  allowedIn(policy, exists)
    .filter(({ rule }) => !hasReason(rule))
    .map(({ danger, rule }) => told(danger, rule))

/** How much of the kernel a policy leaves open. A reason makes a call no less dangerous. */
export const surfaceOf = (
  policy: Policy,
  exists: (name: string) => boolean,
): { readonly dangers: number; readonly ofDangers: number; readonly allowsOthers: boolean } => ({
  dangers: new Set(allowedIn(policy, exists).map(({ danger }) => danger)).size,
  ofDangers: dangers.length,
  allowsOthers: isAllowing(policy)(undefined),
})

const allowedIn = (policy: Policy, exists: (name: string) => boolean): readonly Allowed[] => {
  const calls = new Map([...policy.calls.values()].map((call) => [call.name, call]))
  return dangers
    .filter(({ call }) => calls.has(call) || exists(call))
    .flatMap((danger) =>
      deciding(policy, calls.get(danger.call), danger)
        .filter(isAllowing(policy))
        .map((rule) => ({ danger, rule })),
    )
}

/** Undefined stands for the profile's default. */
const deciding = ({ architecture }: Policy, call: Call | undefined, danger: Danger): readonly (Rule | undefined)[] => {
  if (call === undefined) return [undefined]
  if (danger.args !== undefined)
    return [ruleFor(call, { arch: architecture.audit, number: call.number, args: danger.args })]
  const isWhole = call.rules.some(({ conditions }) => conditions.length === 0)
  return isWhole ? call.rules : [...call.rules, call.otherwise]
}

const isAllowing =
  ({ defaultAction }: Policy) =>
  (rule: Rule | undefined): boolean =>
    ['allow', 'log', 'trace'].includes((rule?.action ?? defaultAction).kind)

const hasReason = (rule: Rule | undefined): boolean => {
  const comment = rule?.comment?.trim() ?? ''
  return comment !== '' && !comment.startsWith(reasonNeeded)
}

const told = ({ call, args = [], why, source }: Danger, rule: Rule | undefined): Unreasoned => ({
  call,
  args: args.map((value) => `0x${value.toString(16)}`),
  why,
  source,
  place: rule?.place ?? 'defaultAction',
})
