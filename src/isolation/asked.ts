// What a service asks of its isolation, once its adapter's defaults and what it goes without are counted in: the network and the
// bounds. Plans are made of it, and the floors below which no plan may fall, so the two cannot drift apart. Pure.
import type { Defaults, Limits, Network } from './adapter.ts'

/** The keys of a service that bound it, as the config reads them. */
export interface Asked {
  readonly network?: Network
  readonly memoryMaxBytes?: number
  readonly cpuMax?: number
  readonly cpuWeight?: number
  readonly pidsMax?: number
  readonly filesMax?: number
  readonly tmpSizeBytes?: number
  readonly storageMaxBytes?: number
}

/** What the service's instances reach: as written, or as its adapter has it. */
export const networkOf = ({ network }: Asked, defaults: Pick<Defaults, 'network'>): Network =>
  network ?? defaults.network

/** A launch with a bound that cannot be kept would be refused: what is given up (capabilities) must not be asked for. */
export const limitsOf = (service: Asked, defaults: Pick<Defaults, 'limits'>, givenUp: readonly string[]): Limits =>
  Object.fromEntries(
    Object.entries({ ...defaults.limits, ...written(service) }).filter(
      ([name]) => isLimit(name) && !givenUp.includes(promiseOf[name]),
    ),
  )

const written = (service: Asked): Limits => ({
  ...(service.memoryMaxBytes === undefined ? {} : { memoryBytes: service.memoryMaxBytes }),
  ...(service.cpuMax === undefined ? {} : { cpus: service.cpuMax }),
  ...(service.cpuWeight === undefined ? {} : { cpuWeight: service.cpuWeight }),
  ...(service.pidsMax === undefined ? {} : { processes: service.pidsMax }),
  ...(service.filesMax === undefined ? {} : { openFiles: service.filesMax }),
  ...(service.tmpSizeBytes === undefined ? {} : { tmpBytes: service.tmpSizeBytes }),
  ...(service.storageMaxBytes === undefined ? {} : { storageBytes: service.storageMaxBytes }),
})

/** Which promise each limit is the substance of. */
const promiseOf: Readonly<Record<keyof Limits, string>> = {
  memoryBytes: 'res.memory',
  cpus: 'res.cpu',
  cpuWeight: 'res.cpu',
  processes: 'res.pids',
  openFiles: 'res.files',
  tmpBytes: 'fs.privateTmp',
  storageBytes: 'disk.quota',
}

const isLimit = (name: string): name is keyof Limits => Object.hasOwn(promiseOf, name)
