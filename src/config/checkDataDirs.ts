// Whether two instances could share a data directory, or one's could lie in another's. Either hands one tenant's data to the other.
// Instances come later too: of an open service any id counts, and two services must never lead the same id to the same place.
import { formatInstance, type InstanceName } from '../names.ts'
import { hasSoundData } from './checkTemplates.ts'
import { dataDirFor, dataDirParts, templateParts } from './dataDir.ts'
import type { Issue } from './problem.ts'
import type { Config, Service } from './schema.ts'
import { asTemplate, variablesOf } from './template.ts'

export const checkDataDirs = (config: Config): readonly Issue[] => {
  const services = [...config.services.values()].filter((service) => hasSoundData(service, config))
  const always = sharedAlways(services, config)
  const possibly = sharedByOpen(services, config).filter(({ pair }) => !isAmong(always, ...pair))
  const shared = [...always, ...possibly]
  return [...shared.map(({ issue }) => issue), ...sharedByInstances(services, config, shared)]
}

interface Shared {
  readonly pair: readonly [string, string]
  readonly issue: Issue
}

const isAmong = (shared: readonly Shared[], a: string, b: string): boolean =>
  shared.some(({ pair }) => pair.includes(a) && pair.includes(b))

const sharedBy = (service: Service, other: Service, consequence: string): Shared => ({
  pair: [service.name, other.name],
  issue: {
    path: ['service', service.name, 'data'],
    message: `service.${service.name}.data and service.${other.name}.data share directories: ${consequence}`,
    fix: 'set them apart: data = "{data_dir}/{name}/{id}" in both',
  },
})

// Longer than any literal would be by chance: what this id would share, every id shares.
const anyId = 'x'.repeat(63)

/** Services that lead every id into each other, declared or not: it may be added later. */
const sharedAlways = (services: readonly Service[], config: Config): readonly Shared[] => {
  const dirOf = (service: Service): string => dataDirFor(service, config.settings, anyId)
  const owners = new Map([...services].reverse().map((service) => [dirOf(service), service]))
  return services.flatMap((service) => {
    const owner = ownerAround(dirOf(service), owners, (found) => found !== service)
    return owner === undefined ? [] : sharedBy(service, owner, 'the same id would have the same data in both')
  })
}

/** Services that some id of an open service leads into each other. */
const sharedByOpen = (services: readonly Service[], config: Config): readonly Shared[] => {
  // Only of services that one with any id could meet: there may be ten thousand declared ids.
  const known = new Map<Service, readonly Place[]>()
  const placesFor = (service: Service): readonly Place[] => {
    const places = known.get(service) ?? placesOf(service, config)
    known.set(service, places)
    return places
  }
  const canMeet = (a: Service, b: Service): boolean =>
    placesFor(a).some((place) => placesFor(b).some((other) => canNest(place, other)))
  return services.flatMap((service, index) =>
    services
      .slice(0, index)
      .filter((other) => (service.open || other.open) && canMeet(service, other))
      .map((other) => sharedBy(service, other, 'an id can be asked for that leads one into the other')),
  )
}

/** Whether one of two places could be, or lie in, the other. */
const canNest = (a: Place, b: Place): boolean => a.slice(0, b.length).every((part, at) => canEqual(part, b[at]))

type Place = readonly string[]

/** Components of the directories a service can have: with {id} left open, or one by one where its ids are all known. */
const placesOf = (service: Service, config: Config): readonly Place[] => {
  if (service.open) return [templateParts(service, config.settings)]
  const ids = config.instances.get(service.name) ?? []
  return ids.map((id) => dataDirFor(service, config.settings, id).split('/').slice(1).map(asTemplate))
}

/** Whether two components could be the same for some ids. Rather yes than no: only what stands before and after {id} is compared. */
const canEqual = (a: string, b: string | undefined): boolean => {
  if (b === undefined) return true
  const [mine, other] = [edgesOf(a), edgesOf(b)]
  if (mine.isFixed && other.isFixed) return a === b
  const heads = mine.head.startsWith(other.head) || other.head.startsWith(mine.head)
  const tails = mine.tail.endsWith(other.tail) || other.tail.endsWith(mine.tail)
  return heads && tails
}

const edgesOf = (component: string) => {
  const isFixed = !variablesOf(component).includes('id')
  return {
    isFixed,
    head: isFixed ? component : component.slice(0, component.indexOf('{id}')),
    tail: isFixed ? component : component.slice(component.lastIndexOf('{id}') + '{id}'.length),
  }
}

/** Declared instances that meet although their services need not: "web" of one in the folder "web" of another. */
const sharedByInstances = (
  services: readonly Service[],
  config: Config,
  reported: readonly Shared[],
): readonly Issue[] => {
  const those = services.filter(({ name }) => (config.instances.get(name) ?? []).length > 0)
  // One's own instances stand apart: the directory of an instance has its id in it, or there is but one.
  if (those.length < 2) return []
  const owners = new Map<string, InstanceName>()
  const declared = those.flatMap((service) => {
    const parts = dataDirParts(service, config.settings)
    return (config.instances.get(service.name) ?? []).map((id, index) => ({
      name: { service: service.name, id },
      index,
      dir: parts.join(id),
    }))
  })
  for (const { dir, name } of declared) if (!owners.has(dir)) owners.set(dir, name)
  return declared.flatMap(({ dir, name, index }) => {
    const owner = ownerAround(dir, owners, ({ service }) => service !== name.service)
    if (owner === undefined || isAmong(reported, owner.service, name.service)) return []
    const message = `the data directory of ${formatInstance(name)}, "${dir}", lies in that of ${formatInstance(owner)}`
    return [
      {
        path: ['instances', name.service, index],
        message,
        fix: `set service.${name.service}.data or service.${owner.service}.data apart`,
      },
    ]
  })
}

/** Whose the path is, or the nearest folder above it below "/", as far as that one is meant. */
const ownerAround = <Owner>(
  path: string,
  owners: ReadonlyMap<string, Owner>,
  isMeant: (owner: Owner) => boolean,
): Owner | undefined => {
  for (let folder = path; folder !== ''; folder = folder.slice(0, folder.lastIndexOf('/'))) {
    const owner = owners.get(folder)
    if (owner !== undefined && isMeant(owner)) return owner
  }
  return undefined
}
