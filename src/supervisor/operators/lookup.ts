// Finds what an operator names: the service, the instance, or the error that says why it cannot be had.
import { TenementError } from '../../errors.ts'
import { formatInstance, type InstanceName } from '../../names.ts'
import type { Fleet } from '../fleet.ts'
import type { Instance } from '../instance.ts'
import type { Roster } from '../roster.ts'

export interface LookupOptions {
  readonly roster: Roster
  readonly fleet: Fleet
  /** The config file, as its user knows it. */
  readonly configFile: string
  /** Why a service cannot run on this machine, by service name. */
  readonly unrunnable: ReadonlyMap<string, string>
}

/** Each throws a TenementError where what is named cannot be had. */
export interface Lookup {
  requireService(name: InstanceName): void
  requireKnown(name: InstanceName): void
  /** Not between the first and the last step of its removal. */
  requireStaying(name: InstanceName): void
  instanceOf(name: InstanceName): Instance
  /** Instances between the first and the last step of their removal. */
  readonly leaving: Set<string>
}

export const createLookup = ({ roster, fleet, configFile, unrunnable }: LookupOptions): Lookup => {
  const leaving = new Set<string>()

  const requireService = ({ service }: InstanceName): void => {
    if (roster.hasService(service)) return
    throw new TenementError('unknown_service', `there is no service "${service}" in ${configFile}`, {
      fix: `add [service.${service}] to ${configFile}, or see "tenement ps" for what there is`,
    })
  }

  const requireKnown = (name: InstanceName): void => {
    requireService(name)
    if (roster.sourceOf(name) !== undefined) return
    throw new TenementError('unknown_instance', `there is no instance ${formatInstance(name)}`, {
      fix: `"tenement add ${formatInstance(name)}" makes one, "tenement ps" shows what there is`,
    })
  }

  const requireStaying = (name: InstanceName): void => {
    if (!leaving.has(formatInstance(name))) return
    throw new TenementError('busy', `${formatInstance(name)} is being removed`, { fix: 'wait until that is done' })
  }

  const instanceOf = (name: InstanceName): Instance => {
    requireKnown(name)
    requireStaying(name)
    const instance = fleet.get(name)
    if (instance !== undefined) return instance
    const reason = unrunnable.get(name.service) ?? 'tenement is shutting down'
    throw new TenementError('start_failed', `${formatInstance(name)} cannot run: ${reason}`, {
      fix: '"tenement check" tells what to change',
    })
  }

  return { requireService, requireKnown, requireStaying, instanceOf, leaving }
}
