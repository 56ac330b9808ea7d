// The server process, and the one place where its parts meet: it is greeted by the launcher, gives up root, and puts router,
// supervisor, state and control API together. Everything it imports is loaded before that: later it may not be able to.
import { once } from 'node:events'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { basePath } from './check/machine.ts'
import { dataDirFor, findDataDirClash } from './config/dataDir.ts'
import { readConfig } from './config/load.ts'
import type { Config, Service } from './config/schema.ts'
import { serviceFor } from './config/serviceFor.ts'
import { readLogsIn } from './control/logs.ts'
import type { Operations } from './control/operations.ts'
import { createControlServer } from './control/server.ts'
import type { ServerStatus } from './control/wire.ts'
import { messageOf, TenementError } from './errors.ts'
import { builtinAdapters } from './isolation/registry.ts'
import { type Channel, connectLauncher, type Hello, type LauncherClient } from './launcher/client.ts'
import { hopelessExit, type LauncherSettings, type ListenAddress } from './launcher/protocol.ts'
import { listenersOn } from './launcher/tcpListeners.ts'
import { formatInstance, type InstanceName } from './names.ts'
import { packageVersion } from './packageVersion.ts'
import { buildHostTable, match } from './router/host.ts'
import { loadParser } from './router/loadParser.ts'
import { createRouter, type Router } from './router/server.ts'
import { dropPrivileges } from './server/dropPrivileges.ts'
import { addressOf, greetingFor } from './server/greeting.ts'
import { createLog, writeOrLose } from './server/log.ts'
import { peerCheckFor } from './server/peerCheck.ts'
import { findPrograms, placeIn } from './server/programs.ts'
import type { ServerSettings } from './server/settings.ts'
import { openState, type State } from './state/state.ts'
import { systemClock } from './supervisor/clock.ts'
import { memoryMeter } from './supervisor/memory.ts'
import type { PlanInputs } from './supervisor/plan.ts'
import { createPorts, readEphemeralRange } from './supervisor/ports.ts'
import { createStarter, parseNote, type Starter } from './supervisor/start.ts'
import { createSupervisor, type Supervisor } from './supervisor/supervisor.ts'

/** What is known once the launcher has greeted and root is given up. */
interface Ground {
  readonly launcher: LauncherClient
  readonly launcherSettings: LauncherSettings
  readonly settings: ServerSettings
  readonly config: Config
  readonly state: State
  readonly log: Logger
  readonly findProgram: PlanInputs['findProgram']
  readonly version: string
}

const path = basePath(process.execPath)

const serviceNamed = ({ services }: Config, name: string): Service => {
  const service = services.get(name)
  if (service === undefined)
    throw new TenementError('unknown_service', `there is no service "${name}" in tenement.toml`)
  return service
}

const starterFor = ({ launcher, launcherSettings, config, state, log, findProgram }: Ground): Starter => {
  const { policy } = launcherSettings
  const { tenantUids } = policy
  return createStarter({
    launcher,
    adapters: builtinAdapters,
    ports: createPorts(readEphemeralRange()),
    runDir: policy.runDir,
    listenersOn,
    identityFor: (name) => identityFor(state, name, tenantUids),
    dataDirFor: (service, id) => dataDirFor(service, config.settings, id),
    planInputs: { settingsDataDir: config.settings.dataDir, path, findProgram, placeOf: placeIn(policy.codeDirs) },
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

const supervisorFor = (
  ground: Ground,
  starter: Starter,
  hello: Hello,
  portOf: () => number | undefined,
): Supervisor => {
  const { config, settings, state, log } = ground
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
    state,
    describe: {
      address: (name) => addressOf(domain, portOf(), name),
      dataDir: (name) => dataDirFor(serviceNamed(config, name.service), config.settings, name.id),
      logFile: ({ service, id }) => join(config.settings.logDir, service, `${id}.log`),
      isolation: ({ service }) => serviceNamed(config, service).isolation,
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
    random: Math.random,
  })
}

/** How to stop a run of a service that the config does not know any more: as the gentlest config would. */
const adoptedService = ({ services }: Config, name: InstanceName): Service => {
  const known = services.get(name.service)
  if (known !== undefined) return serviceFor(known, name.id)
  const [any] = services.values()
  if (any === undefined) throw new TenementError('invalid_config', 'the config has no service')
  return { ...any, name: name.service, stopSignal: 'SIGTERM', stopTimeoutMs: 10_000, ready: { kind: 'tcp' } }
}

/** Adding is refused where the new instance's data directory would be another's. */
const withDataCheck = (operations: Operations, config: Config): Operations => ({
  ...operations,
  add: (name) => {
    const others = operations.list().filter(({ instance }) => instance !== formatInstance(name))
    const clash = config.services.has(name.service) ? findDataDirClash(config, others, name) : undefined
    if (clash === undefined) return operations.add(name)
    const message = `${formatInstance(name)} would share its data directory with ${formatInstance(clash)}`
    throw new TenementError('invalid_config', message, {
      fix: `set service.${name.service}.data to a directory of its own, such as "{data_dir}/{name}/{id}"`,
    })
  },
})

const listening = (servers: readonly Server[]): ListenAddress[] =>
  servers.flatMap((server) => {
    const address = server.address()
    return address === null || typeof address === 'string' ? [] : [{ host: address.address, port: address.port }]
  })

const written = ({ host, port }: ListenAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

const listenOn = async (server: Server, fd: number): Promise<void> => {
  server.listen({ fd })
  await once(server, 'listening')
}

/** Milliseconds for the last bytes of answers to leave when everything has been stopped. */
const farewellMs = 1_000

/** Serves; resolves with how to stop everything, which resolves when nothing runs any more. */
const serve = async (ground: Ground, hello: Hello): Promise<() => Promise<void>> => {
  const { config, launcher, launcherSettings, settings, state, log, version } = ground
  const starter = starterFor(ground)
  const addresses: ListenAddress[] = []
  const supervisor = supervisorFor(ground, starter, hello, () => addresses[0]?.port)
  const operations = withDataCheck(supervisor.operations, config)
  const startedAtMs = Date.now()

  const serverStatus = (): ServerStatus => {
    const instances = operations.list()
    return {
      version,
      pid: process.pid,
      startedAt: new Date(startedAtMs).toISOString(),
      uptimeMs: Date.now() - startedAtMs,
      configFile: settings.configFile,
      listen: addresses.map(written),
      instances: instances.length,
      running: instances.filter(({ pid }) => pid !== null).length,
    }
  }

  const routers = await serveClients(ground, hello, supervisor)
  addresses.push(...listening(routers.map(({ server }) => server)))
  const control = createControlServer({
    operations,
    readLogs: readLogsIn(config.settings.logDir),
    serverStatus,
    log,
    allowPeer: peerCheckFor(starter.running, launcherSettings.policy.tenantUids),
  })
  await listenOn(control, hello.controlListener)
  await launcher.ask<'up'>({ type: 'up' })
  supervisor.autostart()
  if (hello.earlierServers === 0) writeOrLose(1, `${greetingFor(config, version, addresses)}\n`)
  log.info({ listen: addresses.map(written), adopted: hello.runs.length }, 'the server serves')

  return async () => {
    control.close()
    control.closeAllConnections()
    const closed = Promise.all(routers.map((router) => router.close()))
    await supervisor.shutdown()
    await Promise.race([closed, delay(farewellMs)])
    state.close()
  }
}

/** A router on each listening socket. */
const serveClients = async (
  { config, log }: Ground,
  hello: Hello,
  supervisor: Supervisor,
): Promise<readonly Router[]> => {
  const { domains, trustedProxies } = config.settings
  const table = buildHostTable({ domains, hosts: Object.fromEntries(config.hosts), isKnown: supervisor.isKnown })
  return Promise.all(
    hello.listeners.map(async (fd) => {
      const router = createRouter({ match: (host) => match(table, host), wake: supervisor.wake, log, trustedProxies })
      await listenOn(router.server, fd)
      return router
    }),
  )
}

/** From here on the process is the server's own user for good. */
const prepareGround = async (hello: Hello, launcher: LauncherClient, log: Logger): Promise<Ground> => {
  const launcherSettings = hello.settings
  const settings = launcherSettings.server as ServerSettings // written by this same program, on the command line
  const { config } = readConfig({ file: settings.configFile, text: settings.configText }, settings.surroundings)
  const findProgram = await findPrograms(config, path)
  const version = packageVersion()
  await loadParser()
  const { policy } = launcherSettings
  dropPrivileges(policy.serverIdentity)
  return { launcher, launcherSettings, settings, config, state: openState(policy.stateDir), log, findProgram, version }
}

/** What no further start would mend: reported once, and the launcher ends too where nothing runs yet. */
const isHopeless = (error: unknown): boolean => error instanceof TenementError

const main = (): void => {
  const log = createLog()
  let stop: (() => Promise<void>) | undefined
  let isEnding = false

  const fail = (error: unknown): void => {
    const fix = error instanceof TenementError && error.fix !== undefined ? { fix: error.fix } : {}
    log.fatal({ ...fix, err: error }, messageOf(error))
    process.exit(isHopeless(error) ? hopelessExit : 1)
  }

  const launcher = connectLauncher(channelOf(process), {
    onHello: (hello) => {
      prepareGround(hello, launcher, log)
        .then((ground) => serve(ground, hello))
        .then((ready) => {
          stop = ready
          if (isEnding) end()
        })
        .catch(fail)
    },
    onEnd: () => {
      isEnding = true
      end()
    },
  })
  const end = (): void => {
    stop?.().then(() => process.exit(0), fail)
  }
  // Without its launcher it could neither start nor end an instance, and the next launcher brings a server of its own.
  process.on('disconnect', () => process.exit(1))
}

const channelOf = (self: NodeJS.Process): Channel => ({
  send: (message) => {
    // The callback takes the error of a launcher that is gone; 'disconnect' follows.
    self.send?.(message, undefined, undefined, () => undefined)
  },
  on: (event, listener) => void self.on(event, listener),
})

main()
