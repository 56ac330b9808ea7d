// The seccomp filter of every service, made once at the start, with the rights tenement starts with: the server's own user
// may not be able to read a profile, and what an instance may do should not change because a file changed meanwhile.
import { dirname } from 'node:path'
import type { Config, Service } from '../config/schema.ts'
import type { Adapters } from '../isolation/registry.ts'
import { makeFilterCache } from '../seccomp/cache.ts'
import { readProfile } from '../seccomp/find.ts'

/** The filter of a service; undefined where neither it nor its adapter names a profile. Throws what kept it from being made. */
export type FilterOf = (service: string) => Uint8Array | undefined

type Made = { readonly filter: Uint8Array | undefined } | { readonly error: unknown }

/** A filter that cannot be made stops its own service alone: none of its instances is ever started without one. */
export const makeFilters = async ({ file, services }: Config, adapters: Adapters): Promise<FilterOf> => {
  const compile = makeFilterCache()
  const make = async (service: Service): Promise<Made> => {
    const profile = profileOf(service, adapters)
    if (profile === undefined) return { filter: undefined }
    try {
      const found = await readProfile(profile, dirname(file))
      return { filter: compile(found.text, { file: found.file }) }
    } catch (error) {
      return { error }
    }
  }
  const made = new Map(
    await Promise.all([...services.values()].map(async (service) => [service.name, await make(service)] as const)),
  )
  return (service) => {
    const found = made.get(service)
    if (found === undefined) return undefined
    if ('error' in found) throw found.error
    return found.filter
  }
}

/** The profile a service names, or else its adapter. */
export const profileOf = (service: Service, adapters: Adapters): string | undefined => {
  const adapter = adapters.get(service.isolation)
  const defaults = adapter?.defaultsFor?.(service.options) ?? adapter?.defaults
  return service.seccomp ?? defaults?.seccomp
}
