// What `config show` prints: a Config in the keys and spellings of tenement.toml, as if every default had been written.
// Pure. Reading the output again gives the same config, unless values of the environment were hidden.
import { stringify } from 'smol-toml'
import { visible } from '../config/problem.ts'
import {
  type Config,
  type Overrides,
  outputNameOf,
  overrideKeys,
  type Service,
  serviceKeys,
  settingsKeys,
} from '../config/schema.ts'
import { isRecord } from '../control/decode.ts'

const hidden = '(hidden)'

type Values = Readonly<Record<string, unknown>>

const units = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const

/** '1h30m': exact, unlike what tables show. */
export const writeDuration = (ms: number): string => {
  let rest = ms
  const parts = units.map(([unit, size]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? '' : `${count}${unit}`
  })
  return parts.join('') || '0s'
}

const sizes = [
  ['GB', 1024 ** 3],
  ['MB', 1024 ** 2],
  ['KB', 1024],
] as const

/** '256MB' where that is exact, else bytes. */
export const writeSize = (bytes: number): string | number => {
  const unit = sizes.find(([, size]) => bytes >= size && bytes % size === 0)
  return unit ? `${bytes / unit[1]}${unit[0]}` : bytes
}

const isAddress = (value: unknown): value is { readonly host: string; readonly port: number } =>
  isRecord(value) && typeof value.host === 'string' && typeof value.port === 'number'

const writeAddress = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

const writeDurationOrNever = (value: unknown): unknown => (typeof value === 'number' ? writeDuration(value) : 'never')

/** How values are written whose form in the code is another than in the file, by key of the file. */
const writers: Readonly<Record<string, (value: unknown) => unknown>> = {
  listen: (value) => (Array.isArray(value) ? value.filter(isAddress).map(writeAddress) : value),
  metrics: (value) => (isAddress(value) ? writeAddress(value) : value),
  tenant_uids: (value) => (isRecord(value) ? `${String(value.first)}-${String(value.last)}` : value),
  page_after: writeDurationOrNever,
  idle_timeout: writeDurationOrNever,
  freeze_after: writeDurationOrNever,
  ready: (value) =>
    isRecord(value) && value.kind === 'log' ? `log:${String(value.pattern)}` : isRecord(value) ? value.kind : value,
}

const writeValue = (key: string, value: unknown): unknown => {
  const writer = writers[key]
  if (writer) return writer(value)
  const name = outputNameOf(key)
  if (typeof value === 'number' && name.endsWith('Ms')) return writeDuration(value)
  if (typeof value === 'number' && name.endsWith('Bytes')) return writeSize(value)
  return value
}

const isEmpty = (value: unknown): boolean => value === undefined || (isRecord(value) && Object.keys(value).length === 0)

/** The keys of a table of the file, from what the code has under its own names; keys without a value are left out. */
const writeTable = (keys: Values, values: Values): Values => {
  const present = Object.keys(keys).filter((key) => Object.hasOwn(values, outputNameOf(key)))
  const written = present.map((key) => [key, writeValue(key, values[outputNameOf(key)])] as const)
  return Object.fromEntries(written.filter(([, value]) => !isEmpty(value)))
}

const mapValues = <T, R>(entries: Iterable<readonly [string, T]>, map: (value: T) => R): Readonly<Record<string, R>> =>
  Object.fromEntries([...entries].map(([key, value]) => [key, map(value)]))

/** The same service without values of its environment, or its tenants'. */
const hideSecrets = (service: Service): Service => ({
  ...service,
  env: mapValues(Object.entries(service.env), () => hidden),
  tenant: mapValues(Object.entries(service.tenant), (overrides) =>
    overrides.env === undefined
      ? overrides
      : { ...overrides, env: mapValues(Object.entries(overrides.env), () => hidden) },
  ),
})

const writeService = (service: Service): Values =>
  writeTable(serviceKeys.shape, {
    ...service,
    tenant: mapValues(Object.entries(service.tenant), (overrides) => writeTable(overrideKeys.shape, overrides)),
  })

const servicesOf = ({ services }: Config, showsEnv: boolean): Iterable<readonly [string, Service]> =>
  [...services].map(([name, service]) => [name, showsEnv ? service : hideSecrets(service)] as const)

/** The config as text in TOML. */
export const formatConfig = (config: Config, showsEnv: boolean): string => {
  const { file, settings, instances, hosts, isolation } = config
  const document = {
    settings: writeTable(settingsKeys.shape, settings),
    service: mapValues(servicesOf(config, showsEnv), writeService),
    instances: Object.fromEntries(instances),
    hosts: Object.fromEntries(hosts),
    isolation: mapValues(isolation, ({ settings: own, ...keys }) => ({ ...keys, ...own })),
  }
  const whole = Object.fromEntries(Object.entries(document).filter(([, table]) => !isEmpty(table)))
  return visible(`# ${file}, with every default filled in\n${stringify(whole)}`)
}

const nullForNever = (overrides: Overrides): Values =>
  'idleTimeoutMs' in overrides ? { ...overrides, idleTimeoutMs: overrides.idleTimeoutMs ?? null } : overrides

/** The config for programs: the names, milliseconds and bytes of the code; null where a timeout is "never". */
export const reportConfig = (config: Config, showsEnv: boolean): Values => ({
  file: config.file,
  settings: { ...config.settings, pageAfterMs: config.settings.pageAfterMs ?? null },
  services: mapValues(servicesOf(config, showsEnv), (service) => ({
    ...service,
    idleTimeoutMs: service.idleTimeoutMs ?? null,
    freezeAfterMs: service.freezeAfterMs ?? null,
    tenant: mapValues(Object.entries(service.tenant), nullForNever),
  })),
  instances: Object.fromEntries(config.instances),
  hosts: Object.fromEntries(config.hosts),
  isolation: Object.fromEntries(config.isolation),
})
