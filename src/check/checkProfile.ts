// Whether the seccomp profile a service would run under is there and can be used. What a profile is, others know.
import { dirname } from 'node:path'
import { type Issue, quote, showKey } from '../config/problem.ts'
import type { Config, Service } from '../config/schema.ts'
import type { IsolationAdapter } from '../isolation/adapter.ts'
import type { ProfileProblem } from './machine.ts'

export const checkProfile = async (
  service: Service,
  { file }: Config,
  adapter: IsolationAdapter,
  profileProblem: ProfileProblem | undefined,
): Promise<readonly Issue[]> => {
  const profile = service.seccomp ?? adapter.defaults.seccomp
  // Of an adapter that filters nothing the key itself is a problem, and told as such.
  if (profile === undefined || adapter.capabilities['syscalls.filtered'] === undefined) return []
  const found = await profileProblem?.(profile, dirname(file))
  if (found === undefined) return []
  const path = ['service', service.name, service.seccomp === undefined ? 'isolation' : 'seccomp']
  return [
    {
      path,
      message: `the seccomp profile ${quote(profile)} of ${showKey(path)} cannot be used: ${found.message}`,
      value: quote(profile),
      ...(found.suggestion === undefined ? {} : { suggestion: found.suggestion }),
      ...(found.fix === undefined ? {} : { fix: found.fix }),
    },
  ]
}
