// From a service and an instance to an application that executes: the plan, what the adapter makes of it, and the launcher's part.
import type { Service } from '../config/schema.ts'
import { TenementError } from '../errors.ts'
import type { Identity, IsolationAdapter, Reach } from '../isolation/adapter.ts'
import { readOptions } from '../isolation/options.ts'
import type { LauncherClient } from '../launcher/client.ts'
import type { RunRecord } from '../launcher/protocol.ts'
import type { InstanceName } from '../names.ts'
import { type PlanInputs, planFor } from './plan.ts'
import type { ProcessNote } from './process.ts'
import { requireAttestable } from './requireAttestable.ts'

export interface LaunchOptions {
  readonly launcher: LauncherClient
  /** The adapters there are, and why there is none of a name that the config has. */
  readonly isolation: {
    readonly adapters: ReadonlyMap<string, IsolationAdapter>
    readonly faults: ReadonlyMap<string, { readonly reason: string; readonly fix: string }>
  }
  /** The uid of an instance, allocated at its first start; undefined where tenement may not change uid. */
  readonly identityFor: (name: InstanceName) => Identity | undefined
  readonly dataDirFor: (service: Service, id: string) => string
  /** Promises this machine cannot keep and the service goes without, as its config accepts. */
  readonly givenUpBy: (service: string) => readonly string[]
  readonly planInputs: Pick<
    PlanInputs,
    'settingsDataDir' | 'path' | 'findProgram' | 'placeOf' | 'sourceOf' | 'filterOf'
  >
}

/** One start, under a name of its own. */
export interface Start {
  readonly name: InstanceName
  readonly service: Service
  readonly run: string
  /** Whether it waits, held, for a tracer. */
  readonly isTraced: boolean
  readonly reach: Reach
}

/** Resolves when the application executes; rejects, leaving nothing behind, when it cannot be started. */
export const launch = async (
  { launcher, isolation, identityFor, dataDirFor, givenUpBy, planInputs }: LaunchOptions,
  { name, service, run, isTraced, reach }: Start,
): Promise<RunRecord> => {
  const identity = identityFor(name)
  const adapter = adapterFor(service, isolation)
  const options = await readOptions(adapter.options, service.options)
  const plan = planFor({
    ...planInputs,
    service,
    id: name.id,
    dataDir: dataDirFor(service, name.id),
    identity,
    reach,
    defaults: adapter.defaultsFor?.(options) ?? adapter.defaults,
    options,
    givenUp: givenUpBy(service.name),
  })
  const prepared = await adapter.prepare(plan)
  requireAttestable(adapter, plan, prepared)
  const note: ProcessNote = { phase: 'starting' }
  const started = await launcher.ask<'launch'>({
    ...{ type: 'launch', run, ...name, launch: prepared, note },
    watch: service.ready.kind === 'log',
    ...(isTraced ? { isTraced } : {}),
    ...(service.freezeAfterMs === undefined ? {} : { isFreezable: true }),
  })
  return { run, ...name, ...started, launch: { identity, reach }, note }
}

/** Throws a TenementError that says why there is none. */
export const adapterFor = (
  { isolation: name }: Pick<Service, 'isolation'>,
  { adapters, faults }: LaunchOptions['isolation'],
): IsolationAdapter => {
  const adapter = adapters.get(name)
  if (adapter !== undefined) return adapter
  const { reason = 'there is none of this name', fix } = faults.get(name) ?? {}
  throw new TenementError('start_failed', `isolation "${name}" cannot be had: ${reason}`, {
    ...(fix === undefined ? {} : { fix }),
  })
}
