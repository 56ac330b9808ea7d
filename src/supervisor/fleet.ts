// The instances that are more than a name: made when something is first asked of one, kept while there is something to
// remember. One that only its first request brought into being (its service is open) is forgotten when it sleeps: such names
// come from strangers, and memory for each would be theirs to fill.
import { formatInstance, type InstanceName, parseInstance } from '../names.ts'
import type { InstanceOptions } from './house.ts'
import { Instance } from './instance.ts'
import type { Roster } from './roster.ts'
import { isForgettable } from './standing.ts'

/** Sleeping instances of open services that are remembered for their crashes; the oldest go first. */
const mostLingering = 10_000

export interface Fleet {
  /** The instance, if there is more than its name. */
  find(key: string): Instance | undefined
  /** The instance, made now if it may exist; undefined when it may not. */
  get(name: InstanceName): Instance | undefined
  forget(instance: Instance): void
  /** Forgets it when it sleeps, came to be by a request, and nothing is to be remembered of it. */
  forgetIfUnused(instance: Instance): void
  all(): Iterable<Instance>
  /** How many are more than a name. */
  readonly size: number
}

/** What differs from one instance to another; undefined where its service cannot run. */
export type OptionsFor = (name: InstanceName) => InstanceOptions | undefined

export const createFleet = (roster: Roster, optionsFor: OptionsFor): Fleet => {
  const instances = new Map<string, Instance>()
  const lingering = new Set<Instance>()

  const forget = (instance: Instance): void => {
    lingering.delete(instance)
    if (instances.get(instance.key) === instance) instances.delete(instance.key)
  }

  /** Oldest first, and only as far as there is something to do: the cost is shared by those who caused it. */
  const tidy = (): void => {
    for (const instance of lingering) {
      if (instance.state.phase !== 'asleep') lingering.delete(instance)
      else if (isForgettable(instance) || lingering.size > mostLingering) forget(instance)
      else return
    }
  }

  const forgetIfUnused = (instance: Instance): void => {
    if (instance.state.phase !== 'asleep' || roster.sourceOf(instance.name) !== 'open') return
    lingering.delete(instance)
    if (isForgettable(instance)) forget(instance)
    else lingering.add(instance)
    tidy()
  }

  const make = (name: InstanceName): Instance | undefined => {
    const options = roster.sourceOf(name) === undefined ? undefined : optionsFor(name)
    if (options === undefined) return undefined
    const instance = new Instance(options, forgetIfUnused)
    instances.set(instance.key, instance)
    return instance
  }

  return {
    find: (key) => instances.get(key),
    get: (name) => instances.get(formatInstance(name)) ?? make(name),
    forget,
    forgetIfUnused,
    all: () => instances.values(),
    get size() {
      return instances.size
    },
  }
}

/** The fleet's instance for a written name. */
export const instanceNamed = (fleet: Fleet, key: string): Instance | undefined => {
  const known = fleet.find(key)
  if (known !== undefined) return known
  const name = parseInstance(key)
  return name === undefined ? undefined : fleet.get(name)
}
