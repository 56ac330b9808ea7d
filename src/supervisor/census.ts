// How many instances of each service are in each phase, and how many requests wait for them. It looks at names and phases only,
// so that counting ten thousand sleeping instances costs no more than a walk over their names.
import type { Phase } from '../control/operations.ts'
import { formatInstance } from '../names.ts'
import type { Fleet } from './fleet.ts'
import type { Roster } from './roster.ts'

export interface Census {
  /** A phase that none is in is absent. */
  readonly phases: ReadonlyMap<Phase, number>
  /** Clients that wait for an instance of the service to be ready. */
  readonly waiting: number
}

interface Counting {
  readonly phases: Map<Phase, number>
  waiting: number
}

const add = ({ phases }: Counting, phase: Phase): void => void phases.set(phase, (phases.get(phase) ?? 0) + 1)

/** By service name; a service without instances is there too. */
export const takeCensus = (services: Iterable<string>, roster: Roster, fleet: Fleet): ReadonlyMap<string, Census> => {
  const counts = new Map([...services].map((service) => [service, { phases: new Map(), waiting: 0 } as Counting]))
  for (const instance of fleet.all()) {
    const counting = counts.get(instance.name.service)
    if (counting === undefined) continue
    add(counting, instance.state.phase)
    counting.waiting += instance.demand?.clients ?? 0
  }
  // Of which nobody has asked anything yet: a name, asleep.
  for (const name of roster.named()) {
    const counting = counts.get(name.service)
    if (counting !== undefined && fleet.find(formatInstance(name)) === undefined) add(counting, 'asleep')
  }
  return counts
}
