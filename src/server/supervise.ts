// The supervisor as the server process runs it: which functions of the other parts it is given. What each does is theirs.
import { join } from 'node:path'
import type { Logger } from 'pino'
import { dataDirFor, findDataDirClash } from '../config/dataDir.ts'
import type { Config, Service } from '../config/schema.ts'
import { serviceFor } from '../config/serviceFor.ts'
import type { Operations } from '../control/operations.ts'
import { TenementError } from '../errors.ts'
import type { Isolation } from '../isolation/registry.ts'
import type { Hello, LauncherClient } from '../launcher/client.ts'
import type { LauncherSettings } from '../launcher/protocol.ts'
import { createListenersOn } from '../launcher/tcpListeners.ts'
import { formatInstance, type InstanceName } from '../names.ts'
import type { State } from '../state/state.ts'
import { systemClock } from '../supervisor/clock.ts'
import { memoryMeter } from '../supervisor/operators/memory.ts'
import { parseNote } from '../supervisor/parseNote.ts'
import type { PlanInputs } from '../supervisor/plan.ts'
import { createPorts, readEphemeralRange } from '../supervisor/ports.ts'
import type { Report } from '../supervisor/report.ts'
import { createStarter, type Starter } from '../supervisor/start.ts'
import { createSupervisor, type Supervisor } from '../supervisor/supervisor.ts'
import type { Filters } from './filters.ts'
import { addressOf } from './greeting.ts'
import { placeIn, sourceIn } from './programs.ts'
import type { ServerSettings } from './settings.ts'

/** What is known once the launcher has greeted and root is given up. */
export interface Ground {
  readonly launcher: LauncherClient
  readonly launcherSettings: LauncherSettings
  readonly settings: ServerSettings
  readonly config: Config
  readonly isolation: Isolation
  readonly state: State
  readonly log: Logger
  /** PATH of instances that set none themselves. */
  readonly path: string
  readonly findProgram: PlanInputs['findProgram']
  readonly filters: Filters
  readonly version: string
}

const serviceNamed = ({ services }: Config, name: string): Service => {
  const service = services.get(name)
  if (service === undefined)
    throw new TenementError('unknown_service', `there is no service "${name}" in tenement.toml`)
  return service
}

export const starterFor = (ground: Ground): Starter => {
  const { launcher, launcherSettings, settings, config, isolation, state, log, path, findProgram, filters } = ground
  const { policy } = launcherSettings
  const { tenantUids } = policy
  return createStarter({
    launcher,
    isolation,
    ports: createPorts(readEphemeralRange()),
    runDir: policy.runDir,
    listenersOn: createListenersOn(),
    identityFor: (name) => identityFor(state, name, tenantUids),
    dataDirFor: (service, id) => dataDirFor(service, config.settings, id),
    givenUpBy: (service) => (Object.hasOwn(settings.givenUp, service) ? (settings.givenUp[service] ?? []) : []),
    planInputs: {
      settingsDataDir: config.settings.dataDir,
      path,
      findProgram,
      placeOf: placeIn(policy.codeDirs),
      sourceOf: sourceIn(policy.grants),
      filterOf: filters.filterOf,
    },
    warn: (message, fields) => log.warn(fields, message),
  })
}

const identityFor = (
  state: State,
  name: InstanceName,
  tenantUids: { readonly first: number; readonly last: number } | undefined,
): { readonly uid: number; readonly gid: number } | undefined => {
  if (tenantUids === undefined) return undefined
  const uid = state.uidFor(formatInstance(name), tenantUids)
  return { uid, gid: uid }
}

/** Removes the data of an instance; its uid may be another's only after that. */
const purgerFor =
  ({ launcher, launcherSettings, config, state }: Ground) =>
  async (name: InstanceName): Promise<void> => {
    const identity = identityFor(state, name, launcherSettings.policy.tenantUids)
    const dataDir = dataDirFor(serviceNamed(config, name.service), config.settings, name.id)
    await launcher.ask<'purge'>({ type: 'purge', path: dataDir, identity })
  }

export const supervisorFor = (
  ground: Ground,
  starter: Starter,
  hello: Hello,
  portOf: () => number | undefined,
  report: Report,
): Supervisor => {
  const { config, settings, state, log, filters } = ground
  const memoryOf = memoryMeter(() => performance.now())
  const [domain = 'localhost'] = config.settings.domains
  return createSupervisor({
    settings: config.settings,
    configFile: settings.configFile,
    services: config.services,
    serviceFor,
    declared: config.instances,
    unrunnable: new Map(Object.entries(settings.unrunnable)),
    startProcess: starter.start,
    tracing: { next: starter.traceNext, noMore: starter.traceNoMore },
    state,
    describe: {
      address: (name) => addressOf(domain, portOf(), name),
      dataDir: (name) => dataDirFor(serviceNamed(config, name.service), config.settings, name.id),
      logFile: ({ service, id }) => join(config.settings.logDir, service, `${id}.log`),
      isolation: ({ service }) => serviceNamed(config, service).isolation,
      seccomp: ({ service }) => filters.profileOf(service),
      memoryBytes: (_, pid) => memoryOf(pid),
    },
    purge: purgerFor(ground),
    adopted: hello.runs.map((record) => starter.adopt(record, adoptedService(config, record))),
    // What was being stopped ended as it was told to, whoever saw it.
    exits: hello.exits
      .filter(({ note }) => parseNote(note).phase !== 'stopping')
      .map(({ service, id, exit }) => ({ name: { service, id }, exit })),
    clock: systemClock,
    log,
    report,
    random: Math.random,
  })
}

/** How to stop a run of a service that there is not: a launch that no server meant, since the config never changes meanwhile. */
const adoptedService = ({ services }: Config, name: InstanceName): Service => {
  const known = services.get(name.service)
  if (known !== undefined) return serviceFor(known, name.id)
  const [any] = services.values()
  if (any === undefined) throw new TenementError('invalid_config', 'the config has no service')
  return { ...any, name: name.service, stopSignal: 'SIGTERM', stopTimeoutMs: 10_000, ready: { kind: 'tcp' } }
}

/** Adding is refused where the new instance's data directory would be another's. */
export const withDataCheck = (operations: Operations, config: Config): Operations => ({
  ...operations,
  add: async (name) => {
    const others = operations.list().filter(({ instance }) => instance !== formatInstance(name))
    const clash = config.services.has(name.service) ? findDataDirClash(config, others, name) : undefined
    if (clash === undefined) return operations.add(name)
    const message = `${formatInstance(name)} would share its data directory with ${formatInstance(clash)}`
    throw new TenementError('invalid_config', message, {
      fix: `set service.${name.service}.data to a directory of its own, such as "{data_dir}/{name}/{id}"`,
    })
  },
})
