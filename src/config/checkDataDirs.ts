// Whether two instances could share a data directory, or one's could lie in another's. Either hands one tenant's data to the other.
// Instances come later too: of an open service any id counts, and two services must never lead the same id to the same place.
import { formatInstance, type InstanceName } from '../names.ts'
import { hasSoundData } from './checkTemplates.ts'
import { dataDirFor, templateParts } from './dataDir.ts'
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
    const owner = [dirOf(service), ...foldersAbove(dirOf(service))]
      .map((folder) => owners.get(folder))
      .find((found) => found !== undefined && found !== service)
    return owner === undefined ? [] : sharedBy(service, owner, 'the same id would have the same data in both')
  })
}

/** Services that some id of an open service leads into each other. */
const sharedByOpen = (services: readonly Service[], config: Config): readonly Shared[] => {
  const places = new Map(services.map((service) => [service, placesOf(service, config)]))
  const canMeet = (a: Service, b: Service): boolean =>
    places.get(a)?.some((place) => places.get(b)?.some((other) => canNest(place, other))) ?? false
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
  const owners = new Map<string, InstanceName>()
  const declared = services.flatMap((service) =>
    (config.instances.get(service.name) ?? []).map((id, index) => ({
      name: { service: service.name, id },
      index,
      dir: dataDirFor(service, config.settings, id),
    })),
  )
  for (const { dir, name } of declared) owners.set(dir, owners.get(dir) ?? name)
  return declared.flatMap(({ dir, name, index }) => {
    const owner = [dir, ...foldersAbove(dir)]
      .map((folder) => owners.get(folder))
      .find((found) => found !== undefined && found.service !== name.service)
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

const foldersAbove = (path: string): readonly string[] =>
  path
    .split('/')
    .slice(1)
    .map((_, depth, parts) => `/${parts.slice(0, depth).join('/')}`)
    .slice(1)
