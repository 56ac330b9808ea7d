// The server process, and the one place where its parts meet: it is greeted by the launcher, gives up root, and puts router,
// supervisor, state and control API together. Everything it imports is loaded before that: later it may not be able to.
import type { Server } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from './config/schema.ts'
import { createEvents } from './control/events.ts'
import { readLogsIn } from './control/logs.ts'
import { createControlServer } from './control/server.ts'
import type { ServerStatus } from './control/wire.ts'
import { messageOf, TenementError } from './errors.ts'
import { type Channel, connectLauncher, type Hello } from './launcher/client.ts'
import { hopelessExit, type ListenAddress } from './launcher/protocol.ts'
import { createMetrics, type Metrics } from './metrics/metrics.ts'
import { createMetricsServer } from './metrics/server.ts'
import { timedLauncher } from './metrics/timedLauncher.ts'
import { createGuards } from './router/guards.ts'
import { buildHostTable, match } from './router/host.ts'
import { loadParser } from './router/loadParser.ts'
import { createStreams } from './router/page/streams.ts'
import { reasons } from './router/reasons.ts'
import type { Report as RequestReport } from './router/report.ts'
import { type Knowledge, noKnowledge } from './router/rules.ts'
import { createRouter, type Router } from './router/server.ts'
import { eventOf } from './server/eventOf.ts'
import { greetingFor } from './server/greeting.ts'
import { prepareGround } from './server/ground.ts'
import { listening, listenOn, written } from './server/listening.ts'
import { createLog, writeOrLose } from './server/log.ts'
import { peerCheckFor } from './server/peerCheck.ts'
import { type Ground, starterFor, supervisorFor, withDataCheck } from './server/supervise.ts'
import type { Told } from './supervisor/report.ts'
import type { Supervisor } from './supervisor/supervisor.ts'

/** Milliseconds for the last bytes of answers to leave when everything has been stopped. */
const farewellMs = 1_000

/** Serves; resolves with how to stop everything, which resolves when nothing runs any more. */
const serve = async (given: Ground, hello: Hello): Promise<() => Promise<void>> => {
  const metrics = createMetrics({
    version: given.version,
    services: given.config.services.keys(),
    reasons: Object.keys(reasons),
    census: () => supervisor.census(),
  })
  const ground = { ...given, launcher: timedLauncher(given.launcher, metrics.onLauncher) }
  const { config, launcher, launcherSettings, settings, state, log, version } = ground
  const starter = starterFor(ground)
  const events = createEvents(Date.now().toString(36))
  const report = (told: Told): void => {
    metrics.onInstance(told)
    const event = eventOf(told)
    if (event !== undefined) events.push(event)
  }
  const addresses: ListenAddress[] = []
  const supervisor = supervisorFor(ground, starter, hello, () => addresses[0]?.port, report)
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

  const routers = await serveClients(ground, hello, supervisor, metrics.onRequest)
  addresses.push(...listening(routers.map(({ server }) => server)))
  const control = createControlServer({
    operations,
    readLogs: readLogsIn(config.settings.logDir),
    serverStatus,
    metrics: metrics.text,
    events,
    log,
    allowPeer: peerCheckFor(starter.running, launcherSettings.policy.tenantUids),
  })
  await listenOn(control, hello.controlListener)
  const metricsServer = await serveMetrics(ground, hello, metrics)
  await launcher.ask<'up'>({ type: 'up' })
  // A later server finds asleep what went to sleep or was stopped since: that it ended wakes nobody.
  if (hello.earlierServers === 0) supervisor.autostart()
  const unrunnable = Object.keys(settings.unrunnable)
  if (hello.earlierServers === 0)
    writeOrLose(1, `${greetingFor({ config, unrunnable, version, listening: addresses })}\n`)
  log.info({ listen: addresses.map(written), adopted: hello.runs.length }, 'the server serves')
  if (hello.earlierServers === 0) logProof(ground)

  return async () => {
    control.close()
    control.closeAllConnections()
    metricsServer?.close()
    metricsServer?.closeAllConnections()
    const closed = Promise.all(routers.map((router) => router.close()))
    await supervisor.shutdown()
    await Promise.race([closed, delay(farewellMs)])
    state.close()
  }
}

/** Who serves should know how long ago its confinement was tried. */
const logProof = ({ settings: { lastProof }, log }: Ground): void => {
  const { line, broken } = lastProof
  if ((broken ?? 0) > 0) log.warn({ broken }, line)
  else log.info({ broken }, line)
}

/** Undefined where only the control socket tells metrics. */
const serveMetrics = async (
  { config, log }: Ground,
  { metricsListener }: Hello,
  { text }: Metrics,
): Promise<Server | undefined> => {
  const { metrics } = config.settings
  if (metrics === undefined || metricsListener === undefined) return undefined
  const server = createMetricsServer({
    host: metrics.host,
    text,
    onError: (err) => log.error({ err }, 'the metrics cannot be told'),
  })
  await listenOn(server, metricsListener)
  log.info({ listen: listening([server]).map(written) }, 'metrics are told')
  return server
}

/** A router on each listening socket. */
const serveClients = async (
  { config, log }: Ground,
  hello: Hello,
  supervisor: Supervisor,
  report: RequestReport,
): Promise<readonly Router[]> => {
  const { domains, trustedProxies, pageAfterMs, wakesPerClient, exposeTiming } = config.settings
  const { wake, onlookers } = supervisor
  const table = buildHostTable({ domains, hosts: Object.fromEntries(config.hosts), isKnown: supervisor.isKnown })
  const shared = {
    match: (host: string) => match(table, host),
    wake,
    onlookers,
    streams: createStreams(onlookers.look),
    pageAfterMs,
    knowledge: { rulesOf: rulesIn(config), isAsleep: supervisor.isAsleep, isReady: supervisor.isReady },
    guards: createGuards({ wakesPerClient }),
    log,
    trustedProxies,
    exposeTiming,
    report,
  }
  return Promise.all(
    hello.listeners.map(async (fd) => {
      const router = createRouter(shared)
      await listenOn(router.server, fd)
      return router
    }),
  )
}

/** What the service of an instance asks of the router. */
const rulesIn =
  ({ services }: Config): Knowledge['rulesOf'] =>
  (instance) =>
    services.get(instance.split(':', 1)[0] ?? '') ?? noKnowledge.rulesOf(instance)

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
      // Not later: the process may not be able to read it once it has given up root.
      loadParser()
        .then(() => prepareGround(hello, launcher, log))
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
