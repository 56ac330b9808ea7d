// What a person should know of a trace beside the profile itself: how much there was, what goes beyond the base, what was
// refused, and what to do next. Pure.
import { visible } from '../config/problem.ts'
import type { BeyondCall, Proposal } from '../trace/propose.ts'

export interface Traced {
  readonly written: string
  readonly seconds: number
  readonly base: string
  readonly ranUnder: string | null
  /** Where the profile was written; undefined where it is printed. */
  readonly file: string | undefined
}

/** 'io_uring_setup x12', as status counts too. */
const counted = ({ name, count }: BeyondCall): string => `${name} x${count}`

const rowOf = (call: BeyondCall): string =>
  [`  ${counted(call)}`, ...(call.danger === null ? [] : [call.danger])].join(': ')

const withExamples = (call: BeyondCall): string => `  ${counted(call)}: (${call.examples.join('), (')})`

const part = (title: string, calls: readonly BeyondCall[], row: (call: BeyondCall) => string): readonly string[] =>
  calls.length === 0 ? [] : [title, ...calls.map(row)]

export const formatTrace = (proposal: Proposal, { written, seconds, base, ranUnder, file }: Traced): string => {
  const { made, added, undecided, refused } = proposal
  const total = made.reduce((sum, { count }) => sum + count, 0)
  const isAsking = added.some(({ danger }) => danger !== null)
  return [
    `${written} made ${total} calls of ${made.length} kinds in ${Math.round(seconds)} s, under "${ranUnder ?? ''}"`,
    ...part(`added to "${base}", as it used them:`, added, rowOf),
    ...part(
      `"${base}" decides these by their arguments, and refuses them; allow by hand what must be:`,
      undecided,
      withExamples,
    ),
    ...part(`blocked by "${ranUnder ?? ''}", and not added:`, refused, rowOf),
    ...(isAsking ? [`→ give a reason for each REASON NEEDED: tenement seccomp lint ${visible(file ?? 'FILE')}`] : []),
    file === undefined
      ? '→ -o FILE writes the profile to a file, to be named in its service as seccomp = "./FILE"'
      : `→ seccomp = ${JSON.stringify(visible(file))} in its service, then use it once more`,
  ].join('\n')
}
