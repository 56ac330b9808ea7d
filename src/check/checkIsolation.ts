// Whether the adapter a service names is there, promises what the service asks for, and can keep it on this machine.
import { listed } from '../config/kinds.ts'
import { type Issue, quote, showKey } from '../config/problem.ts'
import type { Service } from '../config/schema.ts'
import { nearest } from '../config/suggest.ts'
import type { IsolationAdapter, Probe } from '../isolation/adapter.ts'
import { requirementsOf, unmetRequirements, type Written } from './requirements.ts'

export type Adapters = ReadonlyMap<string, IsolationAdapter>

/** `probe` is what the service's adapter found out about this machine; undefined when there is no such adapter. */
export const checkIsolation = (
  service: Service,
  adapters: Adapters,
  probe: Probe | undefined,
  written: Written,
): readonly Issue[] => {
  const adapter = adapters.get(service.isolation)
  if (adapter === undefined || probe === undefined) return [unknownAdapter(service, adapters)]
  const unmet = unmetRequirements(service, adapter, adapters.values(), written)
  return probe.usable ? [...unmet, ...lostHere(service, probe, written)] : [unusableAdapter(service, probe), ...unmet]
}

const unknownAdapter = (service: Service, adapters: Adapters): Issue => {
  const path = ['service', service.name, 'isolation']
  const suggestion = nearest(service.isolation, adapters.keys())
  const value = quote(service.isolation)
  return {
    path,
    message: `${showKey(path)} = ${value} names no isolation adapter`,
    value,
    ...(suggestion === undefined ? {} : { suggestion }),
    fix: suggestion === undefined ? `write ${listed([...adapters.keys()])}` : `did you mean ${quote(suggestion)}?`,
  }
}

const unusableAdapter = (service: Service, { problem }: Probe): Issue => ({
  path: ['service', service.name, 'isolation'],
  code: 'unsupported_machine',
  message: `isolation "${service.isolation}" cannot run on this machine: ${problem?.reason ?? 'it does not say why'}`,
  value: quote(service.isolation),
  ...(problem === undefined ? {} : { fix: problem.fix }),
})

const lostHere = (service: Service, { lost }: Probe, written: Written): readonly Issue[] =>
  requirementsOf(service).flatMap(({ path, capability }): readonly Issue[] => {
    const value = written(path)
    const reason = lost.find((promise) => promise.capability === capability)
    if (reason === undefined) return []
    const message = `${showKey(path)} = ${value} needs "${capability}", which isolation "${service.isolation}" cannot keep on this machine: ${reason.reason}`
    return [{ path, code: 'missing_capability', message, value, fix: reason.fix ?? `remove ${showKey(path)}` }]
  })
