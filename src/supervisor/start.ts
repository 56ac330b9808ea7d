// Starting an instance, end to end: its name, where it listens, its launch, the handle of its process. It hands the supervisor a
// process and knows nothing of phases; a step that fails gives back what the steps before it took.
import type { Service } from '../config/schema.ts'
import { networkOf } from '../isolation/asked.ts'
import { newRun } from '../launcher/client.ts'
import type { RunRecord } from '../launcher/protocol.ts'
import { formatInstance, type InstanceName } from '../names.ts'
import { adapterFor, type LaunchOptions, launch } from './launch.ts'
import { parseNote } from './parseNote.ts'
import type { Ports } from './ports.ts'
import type { Adopted, Process, StartProcess } from './process.ts'
import { type HandleOptions, handleOf } from './processHandle.ts'
import { createReaches } from './reaches.ts'

export interface StarterOptions extends LaunchOptions, HandleOptions {
  readonly ports: Ports
  readonly runDir: string
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

export const createStarter = (options: StarterOptions): Starter => {
  const reaches = createReaches(options.ports, options.runDir)
  const live = new Set<Process>()
  /** Starts that shall be traced, by instance, each with its name. */
  const traced = new Map<string, string>()

  const nameStart = (name: InstanceName): { readonly run: string; readonly isTraced: boolean } => {
    const run = traced.get(formatInstance(name))
    traced.delete(formatInstance(name))
    return run === undefined ? { run: newRun(), isTraced: false } : { run, isTraced: true }
  }

  const handle = (record: RunRecord, service: Service): Process => {
    const process = handleOf(record, service, options, () => reaches.giveBack(record.launch.reach))
    live.add(process)
    void process.exited.then(() => live.delete(process))
    return process
  }

  return {
    start: async (name, service) => {
      const named = nameStart(name)
      const network = networkOf(service, adapterFor(service, options.isolation).defaults)
      const reach = await reaches.take(service, network, named.run)
      try {
        return handle(await launch(options, { name, service, ...named, reach }), service)
      } catch (error) {
        reaches.giveBack(reach)
        throw error
      }
    },
    adopt: (record, service) => {
      reaches.keep(record.launch.reach)
      return { name: record, process: handle(record, service), note: parseNote(record.note) }
    },
    traceNext: (name) => {
      const run = newRun()
      traced.set(formatInstance(name), run)
      return run
    },
    traceNoMore: (name) => void traced.delete(formatInstance(name)),
    running: () => live,
  }
}
