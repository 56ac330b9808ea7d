// Starting an instance, end to end: where it listens, which uid it has, the plan, the adapter's launch, the launcher's process.
// It hands the supervisor a process and knows nothing of phases; a step that fails gives back what the steps before it took.
import { join } from 'node:path'
import type { Service } from '../config/schema.ts'
import { messageOf, TenementError } from '../errors.ts'
import type { Identity, IsolationAdapter, Reach } from '../isolation/adapter.ts'
import { networkOf } from '../isolation/asked.ts'
import { readOptions } from '../isolation/options.ts'
import { type LauncherClient, newRun } from '../launcher/client.ts'
import type { RunExit, RunRecord } from '../launcher/protocol.ts'
import { formatInstance, type InstanceName } from '../names.ts'
import { type PlanInputs, planFor } from './plan.ts'
import type { Ports } from './ports.ts'
import type { Adopted, Exit, Process, ProcessNote, StartProcess } from './process.ts'
import { type Connect, connectTo, type ListenersOn } from './reach.ts'
import { requireAttestable } from './requireAttestable.ts'

export interface StarterOptions {
  readonly launcher: LauncherClient
  /** The adapters there are, and why there is none of a name that the config has. */
  readonly isolation: {
    readonly adapters: ReadonlyMap<string, IsolationAdapter>
    readonly faults: ReadonlyMap<string, { readonly reason: string; readonly fix: string }>
  }
  readonly ports: Ports
  readonly runDir: string
  readonly listenersOn: ListenersOn
  /** The uid of an instance, allocated at its first start; undefined where tenement may not change uid. */
  readonly identityFor: (name: InstanceName) => Identity | undefined
  readonly dataDirFor: (service: Service, id: string) => string
  /** Promises this machine cannot keep and the service goes without, as its config accepts. */
  readonly givenUpBy: (service: string) => readonly string[]
  readonly planInputs: Pick<
    PlanInputs,
    'settingsDataDir' | 'path' | 'findProgram' | 'placeOf' | 'sourceOf' | 'filterOf'
  >
  /** A stop or a note that the launcher refused: it happens only where the run has ended meanwhile. */
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

export interface Starter {
  readonly start: StartProcess
  /** The handle of a process that an earlier server started. */
  readonly adopt: (record: RunRecord, service: Service) => Adopted
  /** Has the next start of an instance wait, held, for a tracer; returns the name of that start, by which the tracer finds it. */
  readonly traceNext: (name: InstanceName) => string
  /** Takes that back where no start came of it. */
  readonly traceNoMore: (name: InstanceName) => void
  /** The processes there are now. */
  readonly running: () => Iterable<Process>
}

/** What a start is called, and whether it waits for a tracer. */
interface Named {
  readonly run: string
  readonly isTraced: boolean
}

/** The port of every instance that has a network of its own: there is nobody there to share it with. */
const ownPort = 8_080

/** Whether the reach holds a port of the machine's. */
const isTaken = (reach: Reach): reach is Extract<Reach, { kind: 'port' }> =>
  reach.kind === 'port' && reach.network === 'host'

export const createStarter = (options: StarterOptions): Starter => {
  const { launcher, isolation, ports, runDir, identityFor, dataDirFor, givenUpBy, planInputs, listenersOn, warn } =
    options

  const reachFor = async (service: Service, run: string): Promise<Reach> => {
    const { listen } = service
    if (listen === 'port')
      return networkOf(service, adapterOf(service).defaults) === 'host'
        ? { kind: 'port', port: await ports.take(), network: 'host' }
        : { kind: 'port', port: ownPort, network: 'own' }
    return listen === 'fd'
      ? { kind: 'fd', socket: join(runDir, 's', `${run}.sock`) }
      : { kind: 'unix', socket: join(runDir, 'u', run, 'app.sock') }
  }

  const giveBack = (reach: Reach): void => {
    if (isTaken(reach)) ports.free(reach.port)
  }

  const launch = async (
    name: InstanceName,
    service: Service,
    { run, isTraced }: Named,
    reach: Reach,
  ): Promise<RunRecord> => {
    const identity = identityFor(name)
    const adapter = adapterOf(service)
    const adapterOptions = await readOptions(adapter.options, service.options)
    const plan = planFor({
      ...planInputs,
      service,
      id: name.id,
      dataDir: dataDirFor(service, name.id),
      identity,
      reach,
      defaults: adapter.defaultsFor?.(adapterOptions) ?? adapter.defaults,
      options: adapterOptions,
      givenUp: givenUpBy(service.name),
    })
    const prepared = await adapter.prepare(plan)
    requireAttestable(adapter, plan, prepared)
    const note: ProcessNote = { phase: 'starting' }
    const watch = service.ready.kind === 'log'
    const traced = isTraced ? { isTraced } : {}
    const freezable = service.freezeAfterMs === undefined ? {} : { isFreezable: true }
    const started = await launcher.ask<'launch'>({
      type: 'launch',
      run,
      ...name,
      launch: prepared,
      watch,
      note,
      ...traced,
      ...freezable,
    })
    return { run, ...name, ...started, launch: { identity, reach }, note }
  }

  const adapterOf = (service: Service): IsolationAdapter => {
    const adapter = isolation.adapters.get(service.isolation)
    if (adapter !== undefined) return adapter
    const { reason = 'there is none of this name', fix } = isolation.faults.get(service.isolation) ?? {}
    throw new TenementError('start_failed', `isolation "${service.isolation}" cannot be had: ${reason}`, {
      ...(fix === undefined ? {} : { fix }),
    })
  }

  const live = new Set<Process>()
  /** Starts that shall be traced, by instance, each with its name. */
  const traced = new Map<string, string>()

  const nameStart = (name: InstanceName): Named => {
    const run = traced.get(formatInstance(name))
    traced.delete(formatInstance(name))
    return run === undefined ? { run: newRun(), isTraced: false } : { run, isTraced: true }
  }

  const handle = (record: RunRecord, service: Service): Process => {
    const process = makeHandle(record, service)
    live.add(process)
    void process.exited.then(() => live.delete(process))
    return process
  }

  const makeHandle = (record: RunRecord, service: Service): Process => {
    const { run, pid, startedAtMs, launch: launched } = record
    const exited = new Promise<Exit>((resolve) => {
      launcher.whenExited(run, (exit: RunExit) => {
        giveBack(launched.reach)
        resolve(exit)
      })
    })
    const stop = async (signal: string, timeoutMs: number): Promise<Exit> => {
      try {
        await launcher.ask<'stop'>({ type: 'stop', run, signal, timeoutMs })
      } catch (error) {
        // Refused where the run ended meanwhile: its exit is on its way, and is awaited below either way.
        warn('a run could not be stopped', { instance: formatInstance(record), error: messageOf(error) })
      }
      return exited
    }
    const connect: Connect = connectTo(launched.reach, launched.identity, {
      listenersOn,
      openInside: () => launcher.openConnection(run),
    })
    return {
      run,
      pid,
      uid: launched.identity?.uid,
      startedAtMs,
      ...(record.attestation === undefined ? {} : { attestation: record.attestation }),
      stored: () => launcher.storedBy(run),
      exited,
      connect,
      ...(launched.reach.kind === 'fd'
        ? { isAccepting: () => launcher.ask<'accepting'>({ type: 'accepting', run }) }
        : {}),
      watchOutput: (onLine) => {
        launcher.onLines(run, onLine)
        return () => {
          launcher.onLines(run, undefined)
          ignoreEnded(launcher.ask<'watch'>({ type: 'watch', run, on: false }))
        }
      },
      stop: () => stop(service.stopSignal, service.stopTimeoutMs),
      kill: () => stop('SIGKILL', 0),
      // Refused where the run ended meanwhile, of which its exit tells.
      setFrozen: (on) => launcher.ask<'freeze'>({ type: 'freeze', run, on }).catch(() => false),
      note: (note) => ignoreEnded(launcher.ask<'note'>({ type: 'note', run, note })),
    }
  }

  return {
    traceNext: (name) => {
      const run = newRun()
      traced.set(formatInstance(name), run)
      return run
    },
    traceNoMore: (name) => void traced.delete(formatInstance(name)),
    running: () => live,
    start: async (name, service) => {
      const named = nameStart(name)
      const reach = await reachFor(service, named.run)
      try {
        return handle(await launch(name, service, named, reach), service)
      } catch (error) {
        giveBack(reach)
        throw error
      }
    },
    adopt: (record, service) => {
      const { reach } = record.launch
      if (isTaken(reach)) ports.keep(reach.port)
      return { name: record, process: handle(record, service), note: parseNote(record.note) }
    },
  }
}

/** A run that ended has nothing left to note or to watch; its exit says what happened. */
const ignoreEnded = (asked: Promise<unknown>): void => {
  asked.catch(() => undefined)
}

/** What an earlier server, perhaps of another version, noted. Without a phase that is known here it is looked at as starting. */
export const parseNote = (note: unknown): ProcessNote => {
  const { phase, readyAtMs } = (typeof note === 'object' && note !== null ? note : {}) as Partial<ProcessNote>
  if (phase !== 'ready' && phase !== 'frozen' && phase !== 'stopping') return { phase: 'starting' }
  return typeof readyAtMs === 'number' ? { phase, readyAtMs } : { phase }
}
