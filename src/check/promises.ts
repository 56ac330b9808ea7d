// Every promise a service needs, held against what its adapter makes and what this machine lets it keep. One list, from which
// problems, the table of `check` and what the server must go without are all made. Pure.
import type { KeyPath } from '../config/problem.ts'
import { type Overrides, outputNameOf, type Service } from '../config/schema.ts'
import type { IsolationAdapter, Probe, Strength } from '../isolation/adapter.ts'
import { type AcceptableLoss, type Asking, capabilities } from '../isolation/capabilities.ts'

type Lost = Probe['lost'][number]

export interface Verdict {
  readonly capability: string
  /** The key that asks for it; undefined where the adapter itself runs no service without it. */
  readonly path: KeyPath | undefined
  /** Undefined where the adapter makes no such promise. */
  readonly given: Strength | undefined
  /** Why it goes as far as it does here, and what would take it further; absent where that is so on every machine. */
  readonly because?: { readonly reason: string; readonly fix?: string }
  /** Why this machine cannot keep it. */
  readonly lost?: Lost
  /** The word in the service's `accept` by which it goes without. */
  readonly accepted?: AcceptableLoss
}

/** Without `probe` the machine is not asked: nothing is lost. */
export const promisesFor = (
  service: Service,
  adapter: IsolationAdapter,
  probe: Probe | undefined,
): readonly Verdict[] => {
  const asked = requirementsOf(service)
  const needed = adapter.needs
    .filter((capability) => !asked.some((requirement) => requirement.capability === capability))
    .map((capability) => ({ capability, path: undefined }))
  return [...needed, ...asked].map(({ capability, path }) => ({
    capability,
    path,
    given: adapter.capabilities[capability],
    ...lossOf(capability, service, probe),
  }))
}

/** What this machine does not let the adapter keep for this service. */
export const lostTo = ({ options }: Pick<Service, 'options'>, probe: Probe | undefined): readonly Lost[] =>
  (probe?.lost ?? []).filter(({ onlyWith = {} }) =>
    Object.entries(onlyWith).every(([name, value]) => Object.hasOwn(options, name) && options[name] === value),
  )

const lossOf = (capability: string, service: Service, probe: Probe | undefined): Pick<Verdict, 'lost' | 'accepted'> => {
  const { accept } = service
  const lost = lostTo(service, probe).find((promise) => promise.capability === capability)
  if (lost === undefined) return {}
  const word = wordFor(capability)
  return word !== undefined && accept.includes(word) ? { lost, accepted: word } : { lost }
}

/** What `accept` must hold for the promise to be given up; undefined where it cannot be. */
export const wordFor = (capability: string): AcceptableLoss | undefined => capabilities[capability]?.acceptedAs

export type Standing = 'kept' | 'absent' | 'lost' | 'accepted'

export const standingOf = ({ given, lost, accepted }: Verdict): Standing => {
  if (given === undefined) return 'absent'
  if (lost === undefined) return 'kept'
  return accepted === undefined ? 'lost' : 'accepted'
}

/** A key that is written and the capability it needs. */
interface Requirement {
  readonly path: KeyPath
  readonly capability: string
}

/** Everything a service and its tenants' overrides ask for. */
const requirementsOf = (service: Service): readonly Requirement[] =>
  tablesOf(service).flatMap(({ keys, path }) =>
    Object.entries(capabilities).flatMap(([capability, { askedBy }]) =>
      askedBy.filter((asking) => isAsked(keys, asking)).map(({ key }) => ({ path: [...path, key], capability })),
    ),
  )

/** The service's own keys and those of each tenant, with the path they stand at. */
export const tablesOf = (
  service: Service,
): readonly { readonly keys: Service | Overrides; readonly path: KeyPath }[] => [
  { keys: service, path: ['service', service.name] },
  ...Object.entries(service.tenant).map(([id, keys]) => ({ keys, path: ['service', service.name, 'tenant', id] })),
]

const isAsked = (keys: object, { key, value }: Asking): boolean => {
  const written: unknown = Object.entries(keys).find(([name]) => name === outputNameOf(key))?.[1]
  return value === undefined ? isWritten(written) : written === value
}

/** An empty list or table asks for nothing. */
const isWritten = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : value !== undefined
