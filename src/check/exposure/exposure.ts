// How exposed a service is on this machine: as its most exposed instance is. Every part comes with the narrowest change that would
// close it. Pure: the adapter was asked, and the profile read, before.
import { listed } from '../../config/kinds.ts'
import { type KeyPath, showKey } from '../../config/problem.ts'
import { outputNameOf, type Service } from '../../config/schema.ts'
import { serviceFor } from '../../config/serviceFor.ts'
import type { IsolationAdapter } from '../../isolation/adapter.ts'
import type { Adapters } from '../../isolation/registry.ts'
import type { Probes } from '../probes.ts'
import { lostTo } from '../promises.ts'
import { type Conditions, type Facts, factsFor } from './facts.ts'
import { type Share, scoreOf } from './score.ts'
import { type Term, terms } from './terms.ts'

export interface ExposureTerm extends Share {
  /** Undefined where nothing can be written against it. */
  readonly fix: string | undefined
}

export interface Exposure {
  /** From 0 to 10, one decimal. */
  readonly score: number
  /** The tenant who is exposed the most; undefined where that is true of every one whose config does not differ. */
  readonly tenant: string | undefined
  readonly terms: readonly ExposureTerm[]
}

/** The isolations a service could have instead, and what is known of them here. */
export interface Others {
  readonly adapters: Adapters
  readonly probes: Probes
}

export const exposureOf = (service: Service, conditions: Conditions, others: Others): Exposure => {
  const each = [undefined, ...Object.keys(service.tenant)].map((tenant) => {
    const own = tenant === undefined ? service : serviceFor(service, tenant)
    const facts = factsFor(own, conditions)
    return { tenant, own, facts, ...scoreOf(facts) }
  })
  const most = each.reduce((worst, other) => (other.score > worst.score ? other : worst))
  const { score, tenant, shares } = most
  const ground: FixGround = { ...most, service, conditions, others }
  return { score, tenant, terms: shares.map((share) => ({ ...share, fix: fixOf(share, ground) })) }
}

interface FixGround {
  readonly service: Service
  readonly tenant: string | undefined
  /** The service as the tenant has it. */
  readonly own: Service
  readonly facts: Facts
  readonly conditions: Conditions
  readonly others: Others
}

/** What the isolation promises a key may ask for, what this machine has lost is mended there, and the rest takes another isolation. */
const fixOf = ({ term }: Pick<Share, 'term'>, ground: FixGround): string | undefined => {
  const { promises, fix }: Term = terms[term]
  const { service, conditions, facts } = ground
  const byKey = fix?.((name) => showKey(placeOf(name, ground)), facts)
  if (promises.length === 0 || promises.some((name) => facts.kept[name] !== undefined)) return byKey
  const lost = lostTo(service, conditions.probe).find(({ capability }) => promises.some((name) => name === capability))
  return lost === undefined ? (otherIsolation(terms[term], ground) ?? byKey) : lost.fix
}

/** Those under which the same service would be less open in this. */
const otherIsolation = (
  { badness }: Pick<Term, 'badness'>,
  { service, own, facts, others }: FixGround,
): string | undefined => {
  const names = [...others.adapters.values()]
    .filter((adapter) => adapter.name !== service.isolation && others.probes.get(adapter.name)?.usable !== false)
    .filter((adapter) => badness(factsUnder(own, adapter, others)) < badness(facts))
    .map(({ name }) => name)
  return names.length === 0 ? undefined : `set ${showKey(['service', service.name, 'isolation'])} to ${listed(names)}`
}

/** As far as is known without having read a profile. */
const factsUnder = (service: Service, adapter: IsolationAdapter, { probes }: Others): Facts =>
  factsFor(service, {
    adapter,
    probe: probes.get(adapter.name) ?? { usable: true, lost: [] },
    defaults: adapter.defaults,
    surface: adapter.capabilities['syscalls.filtered'] && { dangers: 0, ofDangers: 1, allowsOthers: true },
    startsAsRoot: adapter.privileged === true,
  })

/** Where a tenant has written the key for itself, there. */
const placeOf = (key: string, { service, tenant }: FixGround): KeyPath => {
  const own = tenant === undefined ? undefined : service.tenant[tenant]
  const isOwn = own !== undefined && Object.hasOwn(own, outputNameOf(key))
  return ['service', service.name, ...(isOwn && tenant !== undefined ? ['tenant', tenant] : []), key]
}
