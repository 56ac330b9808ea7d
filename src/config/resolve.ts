// Makes a Config of what the schema read: fills in defaults that depend on the machine or on another key, and makes paths absolute.
// Pure: no path is looked at. Whatever it cannot make sense of it reports, and goes on with the default.
import { dirname, resolve } from 'node:path'
import { defaultDirectories } from './directories.ts'
import { isPluginPath } from './kinds.ts'
import type { Issue } from './problem.ts'
import type { Config, Overrides, ReadFile, ReadService, ReadSettings, Ready, Service, Settings } from './schema.ts'
import type { Surroundings } from './surroundings.ts'

/** The file something was read from: where it is, and what it says. */
export interface Source {
  readonly file: string
  readonly text: string
}

/** `hosts` still holds them as written: hosts.ts gives them their one spelling. */
export const resolveConfig = (read: ReadFile, source: Source, surroundings: Surroundings): Config => {
  const absolute = (path: string): string => resolve(dirname(source.file), path)
  const services = Object.entries(read.service).map(
    ([name, service]) => [name, resolveService(name, service, absolute)] as const,
  )
  const plugins = Object.entries(read.isolation).map(
    ([name, { plugin, ...rest }]) =>
      [name, { ...rest, plugin: isPluginPath(plugin) ? absolute(plugin) : plugin }] as const,
  )
  return {
    ...source,
    settings: resolveSettings(read.settings, surroundings, absolute),
    services: new Map(services),
    instances: new Map(Object.entries(read.instances)),
    hosts: new Map(Object.entries(read.hosts)),
    isolation: new Map(plugins),
  }
}

type MakeAbsolute = (path: string) => string

const resolveSettings = (read: ReadSettings, surroundings: Surroundings, absolute: MakeAbsolute): Settings => {
  const stateDir = read.stateDir === undefined ? undefined : absolute(read.stateDir)
  const usual = defaultDirectories(surroundings, stateDir)
  return {
    ...read,
    dataDir: absolute(read.dataDir ?? usual.dataDir),
    stateDir: usual.stateDir,
    runDir: absolute(read.runDir ?? usual.runDir),
    logDir: absolute(read.logDir ?? usual.logDir),
    maxConcurrentWakes: read.maxConcurrentWakes ?? Math.max(8, 4 * surroundings.processors),
  }
}

const resolveService = (name: string, read: ReadService, absolute: MakeAbsolute): Service => ({
  ...read,
  name,
  ready: resolveReady(read),
  cwd: absolute(read.cwd),
  read: read.read.map(absolute),
  write: read.write.map(absolute),
  secrets: mapValues(read.secrets, ({ file }) => ({ file: absolute(file) })),
  tenant: mapValues(read.tenant, (overrides) => resolveOverrides(overrides, absolute)),
})

const mapValues = <In, Out>(
  table: Readonly<Record<string, In>>,
  map: (value: In) => Out,
): Readonly<Record<string, Out>> => Object.fromEntries(Object.entries(table).map(([key, value]) => [key, map(value)]))

const resolveOverrides = (overrides: Overrides, absolute: MakeAbsolute): Overrides => ({
  ...overrides,
  ...(overrides.read === undefined ? {} : { read: overrides.read.map(absolute) }),
  ...(overrides.write === undefined ? {} : { write: overrides.write.map(absolute) }),
})

const resolveReady = ({ ready, health }: ReadService): Ready => {
  if (ready?.kind === 'log') return ready
  return health === undefined || ready?.kind === 'tcp' ? { kind: 'tcp' } : { kind: 'http', path: health }
}

/** What a service asks for with one key and leaves out with another. */
export const checkReady = (read: ReadFile): readonly Issue[] =>
  Object.entries(read.service)
    .filter(([, { ready, health }]) => ready?.kind === 'http' && health === undefined)
    .map(([name]) => ({
      path: ['service', name, 'ready'],
      message: `service.${name}.ready = "http" needs service.${name}.health, which is not written`,
      value: '"http"',
      fix: 'write health = "/health", or ready = "tcp"',
    }))
