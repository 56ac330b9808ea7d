// What an instance called → the smallest profile over a base: of what the base allows, the entries that were used and the calls
// every program may need; of what it refuses, what went through all the same because the instance ran under a wider profile.
// What was refused while it was traced is told, not added: it ran without. Refusals of the base are all kept. Pure.
import { dangers } from '../seccomp/dangers.ts'
import { parseJson, writeJson } from '../seccomp/json.ts'
import { reasonNeeded } from '../seccomp/lint.ts'
import type { Policy } from '../seccomp/policy.ts'
import { parseProfile } from '../seccomp/profile.ts'
import { essentialCalls } from './essentials.ts'
import type { Tallied, Tally } from './tally.ts'

export interface Base {
  /** As it was named: 'strict'. */
  readonly name: string
  readonly file: string
  readonly text: string
  readonly policy: Policy
}

export interface SeenCall {
  readonly name: string
  readonly count: number
}

/** A call the base refuses. */
export interface BeyondCall extends SeenCall {
  /** A few of the arguments it was made with. */
  readonly examples: readonly string[]
  /** What it opens, where that is more than a service needs. */
  readonly danger: string | null
}

export interface Proposal {
  /** An OCI profile, as JSON. */
  readonly profile: string
  /** Every call that was made. */
  readonly made: readonly SeenCall[]
  /** Went through, and stands in the profile as an addition to the base. */
  readonly added: readonly BeyondCall[]
  /** Went through, but the base decides it by its arguments: what to allow of it has to be written by hand. */
  readonly undecided: readonly BeyondCall[]
  /** Was refused while it was traced. `count` counts the refusals. */
  readonly refused: readonly BeyondCall[]
}

export interface Context {
  /** 'api:alice' */
  readonly instance: string
  readonly seconds: number
  readonly nameOf: (number: number) => string | undefined
}

export const propose = (base: Base, tally: Tally, context: Context): Proposal => {
  const { policy } = base
  const seen = [...tally.calls.values()]
    .map((call) => ({ ...call, name: context.nameOf(call.number) ?? `call ${call.number}` }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const beyond = seen.filter((call) => call.beyond > 0)
  const isAddable = (call: Named): boolean => context.nameOf(call.number) !== undefined && !isByArgument(policy, call)
  const added = beyond.filter(isAddable).map((call) => beyondCall(call, call.beyond))
  return {
    profile: written(base, seen, added, context),
    made: seen.map(({ name, count }) => ({ name, count })),
    added,
    undecided: beyond.filter((call) => !isAddable(call)).map((call) => beyondCall(call, call.beyond)),
    refused: seen.filter(({ refused }) => refused > 0).map((call) => beyondCall(call, call.refused)),
  }
}

type Named = Tallied & { readonly name: string }

const beyondCall = ({ name, examples }: Named, count: number): BeyondCall => ({
  name,
  count,
  examples,
  danger: dangerOf(name),
})

/** Of a call that is dangerous with some arguments alone nothing is said: which they were is among the examples. */
const dangerOf = (name: string): string | null =>
  dangers.find(({ call, args }) => call === name && args === undefined)?.why ?? null

const isByArgument = ({ calls }: Policy, { number }: Tallied): boolean =>
  calls.get(number)?.rules.some(({ conditions }) => conditions.length > 0) ?? false

const written = (
  { name, file, text, policy }: Base,
  seen: readonly Named[],
  added: readonly BeyondCall[],
  { instance, seconds }: Context,
): string => {
  const used = new Set(seen.flatMap((call) => [...call.allowedAt].map((place) => `${place} ${call.name}`)))
  const isUsed = (place: string, call: string): boolean => essentialCalls.has(call) || used.has(`${place} ${call}`)
  const document = parseJson(text) as { readonly syscalls?: readonly object[] }
  const { entries } = parseProfile(text, file)
  const kept = entries.flatMap(({ names, action, place }, at) => {
    const wanted =
      action.kind === 'allow'
        ? names.filter((call) => isUsed(place, call))
        : names.filter((call) => !added.some((one) => one.name === call))
    return wanted.length === 0 ? [] : [{ ...document.syscalls?.[at], names: wanted }]
  })
  const { archMap: _, ...top } = document as Readonly<Record<string, unknown>>
  return `${writeJson({
    ...top,
    '//': [
      `Proposed by "tenement trace ${instance}" over the profile "${name}", from what it called in ${seconds} seconds.`,
      'What it did not do in that time is refused, but for what every program may need.',
    ],
    architectures: [policy.architecture.oci],
    syscalls: [...kept, ...additions(name, added)],
  })}\n`
}

/** A dangerous one gets an entry of its own, whose comment is a question: "tenement seccomp lint" asks until it is answered. */
const additions = (base: string, added: readonly BeyondCall[]): readonly object[] => {
  const action = 'SCMP_ACT_ALLOW'
  const harmless = added.filter(({ danger }) => danger === null).map(({ name }) => name)
  return [
    ...(harmless.length === 0 ? [] : [{ comment: `Beyond "${base}": seen while tracing`, names: harmless, action }]),
    ...added.flatMap(({ name, danger }) =>
      danger === null ? [] : [{ comment: `${reasonNeeded}: why may it use what ${danger}?`, names: [name], action }],
    ),
  ]
}
