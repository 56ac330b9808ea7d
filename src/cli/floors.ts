// What the launcher holds every launch to, whatever the server asks: the floor of each service that is served, by its adapter.
// A service that this machine cannot run has none, and is therefore not launched at all.
import type { Config, Service } from '../config/schema.ts'
import { serviceFor } from '../config/serviceFor.ts'
import type { Floor } from '../isolation/adapter.ts'
import { limitsOf, networkOf } from '../isolation/asked.ts'
import { readOptions } from '../isolation/options.ts'
import type { Adapters } from '../isolation/registry.ts'

export interface FloorSource {
  readonly config: Pick<Config, 'services'>
  readonly unrunnable: Readonly<Record<string, string>>
  readonly givenUp: Readonly<Record<string, readonly string[]>>
}

/** By name of the service, and by 'service:id' for each tenant whose config differs. */
export const floorsFor = async (
  { config, unrunnable, givenUp }: FloorSource,
  adapters: Adapters,
): Promise<Readonly<Record<string, Floor>>> => {
  const services = [...config.services.values()].filter(({ name }) => !Object.hasOwn(unrunnable, name))
  const named = services.flatMap((service) => [
    { name: service.name, service },
    ...Object.keys(service.tenant).map((id) => ({ name: `${service.name}:${id}`, service: serviceFor(service, id) })),
  ])
  const floors = named.map(
    async ({ name, service }) => [name, await floorFor(service, adapters, givenUp[service.name] ?? [])] as const,
  )
  return Object.fromEntries(await Promise.all(floors))
}

/** Nothing is held of an adapter that says no floor; `check` warns of that. */
const floorFor = async (service: Service, adapters: Adapters, givenUp: readonly string[]): Promise<Floor> => {
  const adapter = adapters.get(service.isolation)
  if (adapter?.floorFor === undefined) return {}
  const options = await readOptions(adapter.options, service.options)
  const defaults = adapter.defaultsFor?.(options) ?? adapter.defaults
  return adapter.floorFor({
    network: networkOf(service, defaults),
    limits: limitsOf(service, defaults, givenUp),
    options,
  })
}
