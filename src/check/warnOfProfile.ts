// Whether a seccomp profile of the operator's own says why it allows what is dangerous. A warning: it is theirs to decide, and a
// reason is for whoever reads the profile next. Those that come with tenement have theirs.
import { dirname } from 'node:path'
import { type Issue, quote, showKey } from '../config/problem.ts'
import type { Config, Service } from '../config/schema.ts'
import { TenementError } from '../errors.ts'
import type { LintProfile } from './machine.ts'

export const warnOfProfile = async (
  { name, seccomp }: Service,
  { file }: Config,
  lintProfile: LintProfile,
): Promise<readonly Issue[]> => {
  if (seccomp === undefined) return []
  const calls = await callsWithoutReason(lintProfile(seccomp, dirname(file)))
  if (calls.length === 0) return []
  const path = ['service', name, 'seccomp']
  return [
    {
      path,
      code: 'unexplained_call',
      message: `the seccomp profile ${quote(seccomp)} of ${showKey(path)} allows ${listed(calls)} without a reason`,
      value: quote(seccomp),
      fix: `"tenement seccomp lint FILE" tells what each opens: remove it, or write why it is needed as the "comment" of its entry`,
    },
  ]
}

const mostListed = 5

const listed = (calls: readonly string[]): string =>
  calls.length <= mostListed
    ? calls.join(', ')
    : `${calls.slice(0, mostListed).join(', ')} and ${calls.length - mostListed} more`

/** Of a profile that cannot be used nothing is said: that is a problem of its own. */
const callsWithoutReason = async (found: ReturnType<LintProfile>): Promise<readonly string[]> => {
  try {
    return [...new Set((await found).map(({ call }) => call))]
  } catch (error) {
    if (error instanceof TenementError) return []
    throw error
  }
}
