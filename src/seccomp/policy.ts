// What a profile says for one architecture: which action for which call. This is the meaning that a compiled filter is held
// against, so it is written for being read, not for speed. Pure; knows neither files nor libseccomp.
import type { Action } from './actions.ts'
import type { Architecture } from './architectures.ts'
import { type Condition, isMet } from './conditions.ts'

/** Decides calls that meet all of its conditions; all calls where it has none. */
export interface Rule {
  readonly action: Action
  /** At most one for each argument. */
  readonly conditions: readonly Condition[]
  /** Where it stands in its file: 'syscalls[3]'. */
  readonly place: string
  /** Why, if the profile says so. */
  readonly comment: string | undefined
}

export interface Call {
  readonly name: string
  readonly number: number
  /** No two that match the same call differ in their action, so their order means nothing. */
  readonly rules: readonly Rule[]
  /** Decides what none of the rules matches; undefined leaves that to the profile's default. */
  readonly otherwise: Rule | undefined
}

export interface Policy {
  readonly architecture: Architecture
  readonly defaultAction: Action
  readonly calls: ReadonlyMap<number, Call>
  /** Names of the profile that are calls of other architectures only. */
  readonly elsewhere: readonly string[]
}

/** A call as the kernel shows it to a filter (struct seccomp_data). */
export interface Attempt {
  readonly arch: number
  readonly number: number
  readonly args: readonly bigint[]
}

/** The calls of another ABI have numbers that mean something else, so no rule may be applied to them. */
export const foreignAction: Action = { kind: 'kill_process', data: 0 }

/** From here on numbers belong to x32, the 32-bit ABI that reports itself as x86_64 (__X32_SYSCALL_BIT, seccomp(2)). */
export const firstForeignNumber = 0x4000_0000
export const foreignNumberAction: Action = { kind: 'errno', data: 38 }

const matches = ({ conditions }: Rule, { args }: Attempt): boolean =>
  conditions.every((condition) => isMet(condition, args[condition.index] ?? 0n))

/** The rule that decides; undefined when that is the profile's default. */
export const ruleFor = (call: Call, attempt: Attempt): Rule | undefined =>
  call.rules.find((rule) => matches(rule, attempt)) ?? call.otherwise

export const decide = (policy: Policy, attempt: Attempt): Action => {
  if (attempt.arch !== policy.architecture.audit) return foreignAction
  if (attempt.number >= firstForeignNumber) return foreignNumberAction
  const call = policy.calls.get(attempt.number)
  return (call && ruleFor(call, attempt)?.action) ?? policy.defaultAction
}
