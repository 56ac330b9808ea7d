// The seccomp filter of every service, made once at the start, with the rights tenement starts with: the server's own user
// may not be able to read a profile, and what an instance may do should not change because a file changed meanwhile.
import { dirname } from 'node:path'
import type { Config, Service } from '../config/schema.ts'
import { defaultsOf } from '../isolation/defaults.ts'
import type { Adapters } from '../isolation/registry.ts'
import { makeFilterCache } from '../seccomp/cache.ts'
import { readProfile } from '../seccomp/find.ts'

export interface Filters {
  /** The filter of a service; undefined where neither it nor its adapter names a profile. Throws what kept it from being made. */
  readonly filterOf: (service: string) => Uint8Array | undefined
  /** The profile a service names, or else its adapter for the options it has. */
  readonly profileOf: (service: string) => string | undefined
}

type Made = { readonly profile: string | undefined } & (
  | { readonly filter: Uint8Array | undefined }
  | { readonly error: unknown }
)

/** A filter that cannot be made stops its own service alone: none of its instances is ever started without one. */
export const makeFilters = async ({ file, services }: Config, adapters: Adapters): Promise<Filters> => {
  const compile = makeFilterCache()
  const filterFor = async (profile: string): Promise<Uint8Array> => {
    const found = await readProfile(profile, dirname(file))
    return compile(found.text, { file: found.file })
  }
  const make = async (service: Service): Promise<Made> => {
    let profile = service.seccomp
    try {
      profile ??= await defaultProfile(service, adapters)
      return { profile, filter: profile === undefined ? undefined : await filterFor(profile) }
    } catch (error) {
      return { profile, error }
    }
  }
  const made = new Map(
    await Promise.all([...services.values()].map(async (service) => [service.name, await make(service)] as const)),
  )
  return {
    filterOf: (service) => {
      const found = made.get(service)
      if (found === undefined) return undefined
      if ('error' in found) throw found.error
      return found.filter
    },
    profileOf: (service) => made.get(service)?.profile,
  }
}

const defaultProfile = async ({ isolation, options }: Service, adapters: Adapters): Promise<string | undefined> => {
  const adapter = adapters.get(isolation)
  return adapter === undefined ? undefined : (await defaultsOf(adapter, options)).seccomp
}
