// Whether the seccomp profile a service would run under is there and can be used. What a profile is, others know.
import { dirname } from 'node:path'
import { type Issue, quote, showKey } from '../config/problem.ts'
import type { Config, Service } from '../config/schema.ts'
import { TenementError } from '../errors.ts'
import type { IsolationAdapter } from '../isolation/adapter.ts'
import { defaultsOf } from '../isolation/defaults.ts'
import type { TryProfile } from './machine.ts'

/** For options the adapter understands: others are a problem of their own. */
export const checkProfile = async (
  service: Service,
  { file }: Config,
  adapter: IsolationAdapter,
  tryProfile: TryProfile,
): Promise<readonly Issue[]> => {
  // Of an adapter that filters nothing the key itself is a problem.
  if (adapter.capabilities['syscalls.filtered'] === undefined) return []
  const profile = service.seccomp ?? (await defaultsOf(adapter, service.options)).seccomp
  if (profile === undefined) return []
  try {
    await tryProfile(profile, dirname(file))
    return []
  } catch (error) {
    if (!(error instanceof TenementError)) throw error
    return [issueOf(service, profile, error)]
  }
}

const issueOf = (service: Service, profile: string, { code, message, fix }: TenementError): Issue => {
  const path = ['service', service.name, service.seccomp === undefined ? 'isolation' : 'seccomp']
  return {
    path,
    code,
    message: `the seccomp profile ${quote(profile)} of ${showKey(path)} cannot be used: ${message}`,
    value: quote(service.seccomp ?? service.isolation),
    ...(fix === undefined ? {} : { fix }),
  }
}
