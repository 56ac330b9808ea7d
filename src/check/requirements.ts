// What a service's keys demand of its isolation adapter, held against what the adapter promises. Pure.

import { listed } from '../config/kinds.ts'
import { type Issue, type KeyPath, showKey } from '../config/problem.ts'
import { type Overrides, outputNameOf, type Service } from '../config/schema.ts'
import type { IsolationAdapter } from '../isolation/adapter.ts'
import { type Asking, capabilities } from '../isolation/capabilities.ts'

/** A key that is written and the capability it needs. */
export interface Requirement {
  readonly path: KeyPath
  readonly capability: string
}

/** What the file says at a path, as it is to be shown. */
export type Written = (path: KeyPath) => string

/** Everything a service and its tenants' overrides ask for. */
export const requirementsOf = (service: Service): readonly Requirement[] => {
  const overrides = Object.entries(service.tenant).map(([id, keys]) => ({
    keys,
    path: ['service', service.name, 'tenant', id],
  }))
  const tables: readonly { readonly keys: Service | Overrides; readonly path: KeyPath }[] = [
    { keys: service, path: ['service', service.name] },
    ...overrides,
  ]
  return tables.flatMap(({ keys, path }) =>
    Object.entries(capabilities).flatMap(([capability, { askedBy }]) =>
      askedBy.filter((asking) => isAsked(keys, asking)).map(({ key }) => ({ path: [...path, key], capability })),
    ),
  )
}

const isAsked = (keys: object, { key, value }: Asking): boolean => {
  const written: unknown = Object.entries(keys).find(([name]) => name === outputNameOf(key))?.[1]
  if (value !== undefined) return written === value
  return Array.isArray(written) ? written.length > 0 : written !== undefined
}

/** The requirements the adapter does not meet on any machine, each with the adapters that would. */
export const unmetRequirements = (
  service: Service,
  adapter: IsolationAdapter,
  adapters: Iterable<IsolationAdapter>,
  written: Written,
): readonly Issue[] => {
  const all = [...adapters]
  return requirementsOf(service)
    .filter(({ capability }) => adapter.capabilities[capability] === undefined)
    .map(({ path, capability }) => ({
      path,
      code: 'missing_capability',
      message: `${showKey(path)} = ${written(path)} needs "${capability}", which isolation "${adapter.name}" does not provide`,
      value: written(path),
      fix: wayOut(
        all.filter((other) => other.capabilities[capability] !== undefined).map(({ name }) => name),
        showKey(path),
      ),
    }))
}

const wayOut = (names: readonly string[], key: string): string =>
  names.length === 0
    ? `no isolation that is installed provides it: remove ${key}`
    : `set isolation to ${listed(names)}, or remove ${key}`
