// A control server over a real unix socket whose operations answer what a test tells them to.
import { mkdtemp, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Account } from '../../../src/control/account.ts'
import { createEvents, type Events } from '../../../src/control/events.ts'
import { type LogRequest, readLogsIn } from '../../../src/control/logs.ts'
import type { InstanceStatus, Operations } from '../../../src/control/operations.ts'
import { createControlServer } from '../../../src/control/server.ts'
import { controlSocketPath } from '../../../src/control/socketPath.ts'
import type { LogLine, ServerStatus } from '../../../src/control/wire.ts'
import { TenementError } from '../../../src/errors.ts'
import { formatInstance, type InstanceName } from '../../../src/names.ts'

/** An instance that is asleep and has never run, but for what is given. */
export const instanceStatus = (name: InstanceName, differences: Partial<InstanceStatus> = {}): InstanceStatus => ({
  instance: formatInstance(name),
  service: name.service,
  id: name.id,
  phase: 'asleep',
  address: `${name.id}.${name.service}.localhost:8080`,
  source: 'config',
  isolation: 'none',
  pid: null,
  uid: null,
  startedAt: null,
  uptimeMs: null,
  idleMs: null,
  active: 0,
  requests: 0,
  restarts: 0,
  memoryBytes: null,
  storage: null,
  dataDir: `/data/${name.id}`,
  logFile: `/log/${name.service}/${name.id}.log`,
  seccomp: null,
  blocked: null,
  refused: null,
  attestation: null,
  lastWake: null,
  lastStop: null,
  lastExit: null,
  nextAttemptAt: null,
  ...differences,
})

/** The account of one that nobody has asked for, but for what is given. */
export const instanceAccount = (instance: string, differences: Partial<Account> = {}): Account => ({
  instance,
  phase: 'asleep',
  since: null,
  serverSince: '2026-11-23T18:15:54.123Z',
  woken: null,
  stopped: null,
  next: { step: 'wake', at: null },
  active: 0,
  waiting: 0,
  crashesInARow: 0,
  idleTimeoutMs: null,
  refused: null,
  ...differences,
})

export const carol: InstanceName = { service: 'api', id: 'carol' }

/** Operations over a map of instances; every call is noted in `calls`. */
export interface ScriptedOperations extends Operations {
  readonly calls: string[]
}

export const scriptedOperations = (instances: readonly InstanceStatus[]): ScriptedOperations => {
  const known = new Map(instances.map((status) => [status.instance, status]))
  const calls: string[] = []
  const find = (name: InstanceName): InstanceStatus => {
    const found = known.get(formatInstance(name))
    if (found) return found
    throw new TenementError('unknown_instance', `there is no instance ${formatInstance(name)}`, {
      fix: `tenement add ${formatInstance(name)}`,
    })
  }
  const order = (verb: string, phase: InstanceStatus['phase']) => async (name: InstanceName) => {
    calls.push(`${verb} ${formatInstance(name)}`)
    return { ...find(name), phase }
  }
  return {
    calls,
    list: () => [...known.values()],
    names: () => [...known.keys()],
    status: find,
    why: (name) => instanceAccount(find(name).instance),
    add: async (name) => {
      calls.push(`add ${formatInstance(name)}`)
      if (known.has(formatInstance(name)))
        throw new TenementError('already_exists', `${formatInstance(name)} is there already`)
      const added = instanceStatus(name, { source: 'added' })
      known.set(added.instance, added)
      return added
    },
    remove: async (name, { purge }) => {
      calls.push(`remove ${formatInstance(name)} ${purge ? 'purge' : 'keep'}`)
      const { dataDir } = find(name)
      known.delete(formatInstance(name))
      return { purged: purge, dataDir }
    },
    wake: order('wake', 'ready'),
    stop: order('stop', 'asleep'),
    restart: order('restart', 'ready'),
    trace: async (name) => {
      calls.push(`trace ${formatInstance(find(name))}`)
      return { run: '0123456789ab' }
    },
    enable: order('enable', 'asleep'),
    disable: order('disable', 'disabled'),
    pause: order('pause', 'paused'),
    resume: order('resume', 'asleep'),
  }
}

export const serverStatus: ServerStatus = {
  version: '0.1.0',
  pid: 4101,
  startedAt: '2026-11-23T18:15:54.123Z',
  uptimeMs: 1_234,
  configFile: '/etc/tenement/tenement.toml',
  listen: ['127.0.0.1:8080'],
  instances: 2,
  running: 1,
}

const scriptedMetrics = '# TYPE tenement_build_info gauge\ntenement_build_info{version="0.1.0"} 1\n'

interface LogEntry {
  readonly level: 'info' | 'warn' | 'error'
  readonly fields: object
  readonly message: string
}

export interface RunningControl {
  readonly socketPath: string
  /** Contains the socket; removed with it. Config files and logs of a test go there. */
  readonly directory: string
  readonly logDir: string
  readonly log: readonly LogEntry[]
  readonly server: Server
  close(): Promise<void>
}

export interface ControlScript {
  readonly operations?: Operations
  readonly readLogs?: (name: InstanceName, request: LogRequest) => AsyncIterable<LogLine>
  readonly allowPeer?: (socket: Socket) => boolean
  readonly events?: Events
}

/** Starts a control server in a directory of its own. */
export const startControl = async (script: ControlScript = {}): Promise<RunningControl> => {
  const directory = await mkdtemp(join(tmpdir(), 'tenement-control-'))
  const socketPath = controlSocketPath(directory)
  const logDir = join(directory, 'log')
  const log: LogEntry[] = []
  const note = (level: LogEntry['level']) => (fields: object, message: string) =>
    void log.push({ level, fields, message })
  const server = createControlServer({
    operations: script.operations ?? scriptedOperations([instanceStatus(carol)]),
    readLogs: script.readLogs ?? readLogsIn(logDir),
    serverStatus: () => serverStatus,
    metrics: async () => scriptedMetrics,
    events: script.events ?? createEvents('test'),
    allowPeer: script.allowPeer ?? (() => true),
    log: { info: note('info'), warn: note('warn'), error: note('error') },
  })
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
    await rm(dirname(socketPath), { recursive: true, force: true })
  }
  return { socketPath, directory, logDir, log, server, close }
}
