// What is open about an instance, as plain facts: what its isolation keeps here, what its service asks for beyond that, and what of
// the kernel its profile leaves it. Pure. What each fact weighs stands in terms.ts; nobody here asks an adapter's name.
import type { Service } from '../../config/schema.ts'
import type { Defaults, IsolationAdapter, Limits, Network, Probe, Strength } from '../../isolation/adapter.ts'
import { limitsOf, networkOf } from '../../isolation/asked.ts'
import { lostTo } from '../promises.ts'

/** What a profile leaves of the kernel. */
export interface Surface {
  /** How many of the calls that are known to be dangerous it allows. */
  readonly dangers: number
  readonly ofDangers: number
  /** Whether it allows what it does not name, and so what is invented after it was written. */
  readonly allowsOthers: boolean
}

export interface Facts {
  /** How far each promise goes for this service on this machine; what is lost or was never made is not there. */
  readonly kept: Readonly<Partial<Record<string, Strength>>>
  readonly network: Network
  readonly limits: Limits
  /** Undefined where no profile is in force. */
  readonly surface: Surface | undefined
  readonly read: readonly string[]
  readonly write: readonly string[]
  readonly secrets: number
  readonly accepted: number
  /** What its isolation starts begins as root. */
  readonly startsAsRoot: boolean
}

/** What decides the facts beside the service itself. */
export interface Conditions {
  readonly adapter: IsolationAdapter
  readonly probe: Probe
  /** What the adapter gives a service with these options. */
  readonly defaults: Defaults
  readonly surface: Surface | undefined
  readonly startsAsRoot: boolean
}

/** `service` as one tenant has it. */
export const factsFor = (
  service: Pick<Service, 'options' | 'read' | 'write' | 'secrets' | 'accept' | 'network'>,
  { adapter, probe, defaults, surface, startsAsRoot }: Conditions,
): Facts => {
  const lost = lostTo(service, probe).map(({ capability }) => capability)
  const kept = Object.entries(adapter.capabilities).filter(([capability]) => !lost.includes(capability))
  return {
    kept: Object.fromEntries(kept),
    network: networkOf(service, defaults),
    limits: limitsOf(service, defaults, lost),
    surface,
    read: service.read,
    write: service.write,
    secrets: Object.keys(service.secrets).length,
    accepted: new Set(service.accept).size,
    startsAsRoot,
  }
}
