// The small process that lasts: it holds the listening sockets, the instances and their output, and keeps a server in front
// of them. It reads no byte from any network and takes orders only as typed messages, within a policy fixed at its start.
import { closeSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createCgroups } from '../cgroups/cgroups.ts'
import { TenementError } from '../errors.ts'
import { createAnswers } from './answers.ts'
import { createConnector } from './connect.ts'
import { makeDirectories, makeRunDirectory } from './directories.ts'
import { endGroup } from './endGroup.ts'
import { signalIf, tryLock } from './libc.ts'
import { listenAll, listenUnix } from './listeners.ts'
import { createNetworks } from './networks.ts'
import { bindPlaces } from './places.ts'
import { type Exited, hopelessExit, type LauncherSettings } from './protocol.ts'
import { findLeftovers, removeRecord } from './records.ts'
import { createRuns } from './runs.ts'
import { firstListener, keepServer, restartDelayMs, type Send, type ServerProcess } from './serverProcess.ts'
import { holdUidRange } from './uidRange.ts'

/** Writes one line for whoever is on call. */
export type Log = (
  level: 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void

export interface LauncherOptions {
  readonly settings: LauncherSettings
  readonly env: Readonly<Record<string, string>>
  readonly log: Log
  /** Ends the process. */
  readonly exit: (code: number) => void
}

export interface Launcher {
  /** Stops every instance in order, then ends; asked a second time it kills. */
  end(signal: 'SIGTERM' | 'SIGINT'): void
  /** Ends the server, and has another started. */
  restartServer(): void
}

/** A server that lived this long had started well: its end says nothing about the next start. */
const healthyLifeMs = 10_000

/** Starts everything; throws, having left nothing behind, when another launcher holds the run directory or a socket is taken. */
export const startLauncher = async ({ settings, env, log, exit }: LauncherOptions): Promise<Launcher> => {
  const { policy } = settings
  makeRunDirectory(policy)
  holdRunDirectory(policy.runDir)
  if (policy.tenantUids !== undefined) holdUidRange(policy.tenantUids)
  makeDirectories(policy)
  const cgroups = createCgroups({ runDir: policy.runDir, signalIf })
  // Before the processes are looked for one by one: what an earlier launcher left frozen dies only when it is thawed.
  for (const run of await cgroups.removeLeftovers())
    log('warn', 'a cgroup of an earlier start still holds processes', { run })
  await endLeftovers(settings, log)
  const canMount = bindPlaces(policy)
  const listeners = listenAll(settings.listen, 'settings.listen', (message) => log('warn', message))
  // One address is there or is an error: there is nothing to warn of.
  const metrics = settings.metrics === undefined ? [] : [settings.metrics]
  const metricsListeners = listenAll(metrics, 'settings.metrics', () => undefined)
  const controlListener = listenControl(settings)

  let undelivered: Exited[] = []
  /** Whether a server is there to be told; whether one has ever served. */
  let isAttached = false
  let hasServed = false
  let earlierServers = 0
  let endedYoung = 0
  let ending: 'no' | 'in order' | 'at once' = 'no'

  const networks = createNetworks()
  const runs = createRuns({
    policy,
    networks,
    canMount,
    cgroups,
    onExit: (exited) => {
      // Not taken by a server that ends in this moment: kept for the next.
      if (!isAttached || server.send(exited) !== true) undelivered.push(exited)
    },
    onLines: (run, lines) => server.send({ type: 'output', run, lines }),
    onStored: (run, stored) => server.send({ type: 'stored', run, stored }),
    warn: (message, fields) => log('warn', message, fields),
  })

  const answer = createAnswers(policy, runs, createConnector(networks), () => {
    hasServed = true
  })

  const greet = (send: Send, handOver: number): void => {
    const numbers = listeners.map((_, index) => firstListener + index)
    send({
      type: 'hello',
      settings,
      listeners: numbers,
      controlListener: firstListener + listeners.length,
      ...(metricsListeners.length > 0 ? { metricsListener: firstListener + listeners.length + 1 } : {}),
      handOver,
      runs: runs.list(),
      exits: undelivered,
      earlierServers,
    })
    undelivered = []
    earlierServers += 1
    isAttached = true // from here on the channel keeps exits in order behind the greeting
  }

  const finish = async (code: number): Promise<void> => {
    await runs.killAll()
    cgroups.close()
    rmSync(controlPath(settings), { force: true })
    exit(code)
  }

  const server: ServerProcess = keepServer({
    file: settings.serverFile,
    listeners: [...listeners, controlListener, ...metricsListeners],
    env,
    onStart: greet,
    onMessage: (message, line) => void answer(message, line),
    onExit: ({ code, signal, livedMs }) => {
      isAttached = false
      if (ending === 'at once') return undefined
      if (ending !== 'no' || (code === hopelessExit && !hasServed)) {
        void finish(ending === 'no' ? 1 : 0)
        return undefined
      }
      endedYoung = livedMs > healthyLifeMs ? 0 : endedYoung + 1
      const waitMs = restartDelayMs(endedYoung - 1)
      log('error', 'the server ended and is started again', { code, signal, waitMs, instances: runs.list().length })
      return waitMs
    },
  })

  const endAtOnce = (signal: 'SIGTERM' | 'SIGINT'): void => {
    if (ending === 'at once') return
    ending = 'at once'
    server.kill()
    void finish(signal === 'SIGINT' ? 130 : 143)
  }

  return {
    restartServer: () => server.restart(),
    end: (signal) => {
      if (ending === 'at once') return
      if (ending === 'no' && isAttached) {
        ending = 'in order'
        // Closed here too, or connections would go on waiting in the kernel for a server that is not to come.
        for (const fd of [...listeners, ...metricsListeners]) closeSync(fd)
        server.send({ type: 'end' })
        // A server that hangs, or was taken over, must not keep everything running.
        setTimeout(() => endAtOnce(signal), settings.endTimeoutMs)
        return
      }
      endAtOnce(signal)
    },
  }
}

const controlPath = ({ policy }: LauncherSettings): string => join(policy.runDir, 'control.sock')

const listenControl = (settings: LauncherSettings): number => {
  const { controlGid } = settings.policy
  const owner = { uid: process.getuid?.() ?? 0, gid: controlGid ?? process.getgid?.() ?? 0 }
  return listenUnix(controlPath(settings), owner, controlGid === undefined ? 0o600 : 0o660)
}

/** Two launchers on one run directory would end each other's instances. The lock goes with the process, however it ends. */
const holdRunDirectory = (runDir: string): void => {
  const file = join(runDir, 'launcher', 'lock')
  const fd = openSync(file, 'a', 0o600)
  if (tryLock(fd)) return
  closeSync(fd)
  throw new TenementError('already_running', `another tenement serves "${runDir}"`, {
    fix: 'stop it, or give this one a settings.run_dir of its own',
  })
}

const endLeftovers = async ({ policy }: LauncherSettings, log: Log): Promise<void> => {
  for (const { run, group } of findLeftovers(policy.runDir, policy.tenantUids)) {
    await endGroup(group, (pids) => log('error', 'processes of an earlier start survive SIGKILL', { run, pids }))
    log('warn', 'ended what an earlier launcher had left behind', { run })
    removeRecord(policy.runDir, run)
  }
}
