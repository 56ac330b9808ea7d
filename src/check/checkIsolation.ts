// Whether the adapter a service names is there, promises what the service needs, and can keep it on this machine. Pure: the
// machine was asked before, and its answer is an argument.
import { listed } from '../config/kinds.ts'
import { type Issue, type KeyPath, quote, showKey } from '../config/problem.ts'
import type { Service } from '../config/schema.ts'
import { nearest } from '../config/suggest.ts'
import type { IsolationAdapter, Probe } from '../isolation/adapter.ts'
import { capabilities } from '../isolation/capabilities.ts'
import type { Adapters } from '../isolation/registry.ts'
import { standingOf, tablesOf, type Verdict, wordFor } from './promises.ts'

/** What the file says at a path, as it is to be shown. */
export type Written = (path: KeyPath) => string

/** `declared` are the names that plug-ins have in the config. */
export const unknownAdapter = (service: Service, adapters: Adapters, declared: readonly string[]): Issue => {
  const path = ['service', service.name, 'isolation']
  const names = [...new Set([...adapters.keys(), ...declared])]
  const suggestion = nearest(service.isolation, names)
  const value = quote(service.isolation)
  return {
    path,
    message: `${showKey(path)} = ${value} names no isolation adapter`,
    value,
    ...(suggestion === undefined ? {} : { suggestion }),
    fix: suggestion === undefined ? `write ${listed(names)}` : `did you mean ${quote(suggestion)}?`,
  }
}

/** `probe` is what the adapter found out about this machine; undefined where it was not asked. */
export const checkIsolation = (
  service: Service,
  adapter: IsolationAdapter,
  probe: Probe | undefined,
  promises: readonly Verdict[],
  adapters: Adapters,
  written: Written,
): readonly Issue[] => [
  ...checkNetworks(service, adapter, adapters, written),
  ...checkListen(service, adapter),
  ...absent(adapter, promises, adapters, written),
  ...(probe === undefined || probe.usable ? lostHere(service, promises, written) : [unusable(service, probe)]),
]

/** A network that no capability speaks against and that the adapter has not: "host" where confinement rests on another. */
const checkNetworks = (
  service: Service,
  adapter: IsolationAdapter,
  adapters: Adapters,
  written: Written,
): readonly Issue[] =>
  tablesOf(service).flatMap(({ keys: { network }, path: table }): readonly Issue[] => {
    if (network === undefined || offers(adapter, network)) return []
    const path = [...table, 'network']
    const others = [...adapters.values()].filter((other) => offers(other, network)).map(({ name }) => name)
    const choice = `write ${listed(adapter.networks ?? [])}`
    return [
      {
        path,
        message: `${showKey(path)} = ${written(path)} is no network that isolation "${adapter.name}" has`,
        value: written(path),
        fix: others.length === 0 ? choice : `${choice}, or set isolation to ${listed(others)}`,
      },
    ]
  })

/** A way to be reached that the adapter's confinement closes. */
const checkListen = ({ name, listen }: Service, { listens, name: isolation }: IsolationAdapter): readonly Issue[] =>
  listens === undefined || listens.includes(listen)
    ? []
    : [
        {
          path: ['service', name, 'listen'],
          message: `service.${name}.listen = ${quote(listen)} is no way in which instances of isolation "${isolation}" are reached`,
          value: quote(listen),
          fix: `write listen = ${listed(listens)}`,
        },
      ]

const offers = ({ networks }: IsolationAdapter, network: NonNullable<Service['network']>): boolean =>
  networks === undefined || networks.includes(network)

/** What the adapter promises on no machine: one problem for each key, with the adapters that would. */
const absent = (
  adapter: IsolationAdapter,
  promises: readonly Verdict[],
  adapters: Adapters,
  written: Written,
): readonly Issue[] => {
  const wanting = promises.filter((verdict) => standingOf(verdict) === 'absent')
  return byKey(wanting).map(({ path, capabilities: missing }) => {
    const able = [...adapters.values()].filter((other) =>
      missing.every((capability) => other.capabilities[capability] !== undefined),
    )
    return {
      path,
      code: 'missing_capability',
      message: `${showKey(path)} = ${written(path)} needs ${both(missing)}, which isolation "${adapter.name}" does not provide`,
      value: written(path),
      fix: wayOut(
        able.map(({ name }) => name),
        showKey(path),
      ),
    }
  })
}

const wayOut = (names: readonly string[], key: string): string =>
  names.length === 0
    ? `no isolation that is installed provides it: remove ${key}`
    : `set isolation to ${listed(names)}, or remove ${key}`

interface Wanting {
  readonly path: KeyPath
  readonly capabilities: readonly string[]
}

/** The promises under the key that asks for them; what no key asks for is left out. */
const byKey = (promises: readonly Verdict[]): readonly Wanting[] => {
  const groups = new Map<string, Wanting>()
  for (const { path, capability } of promises) {
    if (path === undefined) continue
    const earlier = groups.get(showKey(path))?.capabilities ?? []
    groups.set(showKey(path), { path, capabilities: [...earlier, capability] })
  }
  return [...groups.values()]
}

/** '"a"', '"a" and "b"', '"a", "b" and "c"' */
const both = (names: readonly string[]): string => listed(names).replace(/ or (?="[^"]*"$)/, ' and ')

const unusable = (service: Service, { problem }: Probe): Issue => ({
  path: ['service', service.name, 'isolation'],
  code: 'unsupported_machine',
  message: `isolation "${service.isolation}" cannot run on this machine: ${problem?.reason ?? 'it does not say why'}`,
  value: quote(service.isolation),
  ...(problem === undefined ? {} : { fix: problem.fix }),
})

/** What the adapter would keep elsewhere: one problem for each key and reason, and one for what no key asks for. */
const lostHere = (service: Service, promises: readonly Verdict[], written: Written): readonly Issue[] => {
  const lost = promises.filter((verdict) => standingOf(verdict) === 'lost')
  const reasons = new Set(lost.map((verdict) => verdict.lost?.reason ?? ''))
  return [...reasons].flatMap((reason) => {
    const alike = lost.filter((verdict) => verdict.lost?.reason === reason)
    const fix = alike[0]?.lost?.fix
    const needed = alike.filter(({ path }) => path === undefined).map(({ capability }) => capability)
    return [
      ...(needed.length > 0 ? [lostNeeds(service, needed, reason, fix)] : []),
      ...byKey(alike).map((wanting) => lostToKey(service, wanting, reason, fix, written)),
    ]
  })
}

const lostNeeds = (service: Service, names: readonly string[], reason: string, fix: string | undefined): Issue => ({
  path: ['service', service.name, 'isolation'],
  code: 'missing_capability',
  fault: 'machine',
  message: `isolation "${service.isolation}" needs ${explained(names)}, which it cannot keep on this machine: ${reason}`,
  value: quote(service.isolation),
  fix: withLastResort(service, names, fix ?? 'set another isolation'),
})

/** A single promise is told in its sentence too; of several the names are enough to look them up. */
const explained = (names: readonly string[]): string => {
  const [only, ...others] = names
  const promise = only === undefined || others.length > 0 ? undefined : capabilities[only]?.promise
  return promise === undefined ? both(names) : `${both(names)} (${promise})`
}

const lostToKey = (
  service: Service,
  { path, capabilities: names }: Wanting,
  reason: string,
  fix: string | undefined,
  written: Written,
): Issue => ({
  path,
  code: 'missing_capability',
  fault: 'machine',
  message: `${showKey(path)} = ${written(path)} needs ${both(names)}, which isolation "${service.isolation}" cannot keep on this machine: ${reason}`,
  value: written(path),
  fix: withLastResort(service, names, fix ?? `remove ${showKey(path)}`),
})

/** The fix, and what a person may write who knows what is lost; nothing where some of it cannot be accepted. */
const withLastResort = (service: Service, names: readonly string[], fix: string): string => {
  const words = names.flatMap((name) => wordFor(name) ?? [])
  if (words.length < names.length) return fix
  return `${fix}; as a last resort go without: add ${both(words)} to ${showKey(['service', service.name, 'accept'])}`
}
