// Where an instance keeps its data. Pure: whether a directory is there, and whose, is the launcher's business.
// A path is built from an id here, so callers must have checked it against the grammar of names.
import { dirname, join, normalize } from 'node:path'
import { formatInstance, type InstanceName } from '../names.ts'
import type { Config, Service, Settings } from './schema.ts'
import { fillPartly, fillTemplate, variablesOf } from './template.ts'

type DataOf = Pick<Service, 'name' | 'data'>
type DataSettings = Pick<Settings, 'dataDir'>

/** The absolute path of an instance's own data directory. */
export const dataDirFor = (service: DataOf, settings: DataSettings, id: string): string =>
  withoutSlash(normalize(fillTemplate(service.data, { id, name: service.name, data_dir: settings.dataDir })))

// normalize() keeps a slash at the end, and two spellings of one directory would compare as different.
const withoutSlash = (path: string): string => (path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path)

/** The same as a pattern: the parts of the path between which the id stands. No id holds a NUL (names.ts), and no path does. */
export const dataDirParts = (service: DataOf, settings: DataSettings): readonly string[] =>
  dataDirFor(service, settings, '\0').split('\0')

/** The folder below which all data directories of a service lie; of a service with a single one, the folder that holds it. */
export const dataRootFor = (service: DataOf, settings: DataSettings): string => {
  const template = templateParts(service, settings)
  const fixed = template.findIndex((part) => variablesOf(part).includes('id'))
  return fixed < 0
    ? dirname(dataDirFor(service, settings, ''))
    : join('/', ...template.slice(0, fixed).map((part) => fillTemplate(part, {})))
}

/** The components of the data directory as templates of {id} alone. */
export const templateParts = (service: DataOf, settings: DataSettings): readonly string[] =>
  normalize(fillPartly(service.data, { name: service.name, data_dir: settings.dataDir }))
    .split('/')
    .filter((part) => part !== '')

/** Whether one path is the other, or lies in it. Both absolute and normalized, without a slash at the end. */
export const isWithin = (inner: string, outer: string): boolean =>
  inner === outer || inner.startsWith(outer === '/' ? outer : `${outer}/`)

/** The first of the other instances whose data directory is the same as, or lies around or in, that of `name`. */
export const findDataDirClash = (
  config: Config,
  others: Iterable<InstanceName>,
  name: InstanceName,
): InstanceName | undefined => {
  const dirOf = (instance: InstanceName): string | undefined => {
    const service = config.services.get(instance.service)
    return service === undefined ? undefined : dataDirFor(service, config.settings, instance.id)
  }
  const own = dirOf(name)
  if (own === undefined) return undefined
  for (const other of others) {
    const dir = dirOf(other)
    if (dir === undefined || formatInstance(other) === formatInstance(name)) continue
    if (isWithin(dir, own) || isWithin(own, dir)) return other
  }
  return undefined
}
