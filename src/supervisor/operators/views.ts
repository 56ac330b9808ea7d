// What operators look at: each instance as it stands, why it stands so, and who there is. An instance that nobody asked for yet is shown
// as what it is, a name that sleeps.
import type { Operations } from '../../control/operations.ts'
import { formatInstance, type InstanceName } from '../../names.ts'
import type { Clock } from '../clock.ts'
import type { Fleet } from '../fleet.ts'
import type { IdleWatch } from '../idle.ts'
import type { Roster } from '../roster.ts'
import { accountOf } from './account.ts'
import { type Describe, statusOf } from './status.ts'

export interface ViewsOptions {
  readonly roster: Roster
  readonly fleet: Fleet
  readonly describe: Describe
  /** Why a service cannot run on this machine, by service name. */
  readonly unrunnable: ReadonlyMap<string, string>
  readonly clock: Clock
  readonly idle: IdleWatch
}

export type Views = Pick<Operations, 'status' | 'why' | 'list' | 'names'>

export const createViews = ({ roster, fleet, describe, unrunnable, clock, idle }: ViewsOptions): Views => {
  const serverStartedAtMs = clock.wallMs()

  const lookAt = (name: InstanceName) => ({
    ...{ name, clock, idle },
    instance: fleet.find(formatInstance(name)),
    refused: unrunnable.get(name.service),
  })

  const status: Views['status'] = (name) =>
    statusOf({ ...lookAt(name), source: roster.sourceOf(name) ?? 'open', describe })

  /** Every instance there is, by its written name and in the order of these. */
  const everybody = (): readonly (readonly [string, InstanceName])[] => {
    const names = new Map(roster.named().map((name) => [formatInstance(name), name]))
    for (const { key, name } of fleet.all()) names.set(key, name)
    return [...names].sort(([one], [other]) => (one < other ? -1 : 1))
  }

  return {
    status,
    why: (name) => accountOf({ ...lookAt(name), serverStartedAtMs }),
    list: () => everybody().map(([, name]) => status(name)),
    names: () => everybody().map(([key]) => key),
  }
}
