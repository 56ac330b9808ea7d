// What an operator can ask for. Each order is written to the state first and carried out then: what a command has said
// holds after a restart too, and a state that cannot be written changes nothing.
// `stop` is no lasting order: the next request wakes the instance again. `disable` and `pause` are.
import type { Account } from '../control/account.ts'
import type { InstanceStatus, Operations } from '../control/operations.ts'
import { TenementError } from '../errors.ts'
import { formatInstance, type InstanceName, isName } from '../names.ts'
import { Refusal } from '../refusal.ts'
import type { State } from '../state/state.ts'
import type { Fleet } from './fleet.ts'
import type { Instance } from './instance.ts'
import { orders } from './orders.ts'
import { runOf } from './phases.ts'
import { refusals } from './refusals.ts'
import type { Roster } from './roster.ts'
import { printable } from './sentences.ts'

export interface Tracing {
  next(name: InstanceName): string
  noMore(name: InstanceName): void
}

export interface OperateOptions {
  readonly roster: Roster
  readonly fleet: Fleet
  readonly state: Pick<State, 'addInstance' | 'setDisabled' | 'setPaused' | 'forgetInstance' | 'freeUid'>
  /** The config file, as its user knows it. */
  readonly configFile: string
  /** Why a service cannot run on this machine, by service name. */
  readonly unrunnable: ReadonlyMap<string, string>
  /** Removes an instance's data for good. Called only when nothing of it runs. */
  purge(name: InstanceName): Promise<void>
  dataDir(name: InstanceName): string
  /** How the next start of an instance is made to wait for a tracer, and how that is taken back. */
  readonly tracing: Tracing
  status(name: InstanceName): InstanceStatus
  why(name: InstanceName): Account
}

export const createOperations = (options: OperateOptions): Omit<Operations, 'list' | 'names'> => {
  const { roster, fleet, state, configFile, unrunnable, purge, dataDir, tracing, status, why } = options
  /** Instances between the first and the last step of their removal. */
  const leaving = new Set<string>()

  const requireService = ({ service }: InstanceName): void => {
    if (roster.hasService(service)) return
    throw new TenementError('unknown_service', `there is no service "${service}" in ${configFile}`, {
      fix: `add [service.${service}] to ${configFile}, or see "tenement ps" for what there is`,
    })
  }

  const requireKnown = (name: InstanceName): void => {
    requireService(name)
    if (roster.sourceOf(name) !== undefined) return
    throw new TenementError('unknown_instance', `there is no instance ${formatInstance(name)}`, {
      fix: `"tenement add ${formatInstance(name)}" makes one, "tenement ps" shows what there is`,
    })
  }

  const requireStaying = (name: InstanceName): void => {
    if (!leaving.has(formatInstance(name))) return
    throw new TenementError('busy', `${formatInstance(name)} is being removed`, { fix: 'wait until that is done' })
  }

  const instanceOf = (name: InstanceName): Instance => {
    requireKnown(name)
    requireStaying(name)
    const instance = fleet.get(name)
    if (instance !== undefined) return instance
    const reason = unrunnable.get(name.service) ?? 'tenement is shutting down'
    throw new TenementError('start_failed', `${formatInstance(name)} cannot run: ${reason}`, {
      fix: '"tenement check" tells what to change',
    })
  }

  /** Waits for a wake; a refusal becomes an error with what an operator may know of it. */
  const woken = async (instance: Instance, ready: Promise<void>): Promise<InstanceStatus> => {
    try {
      await ready
    } catch (thrown) {
      throw thrown instanceof Refusal ? wakeFailed(instance, thrown) : thrown
    }
    return status(instance.name)
  }

  const removeData = async (name: InstanceName): Promise<void> => {
    // Half-removed data must not be woken, whether the removal fails or this server ends in the middle of it.
    state.setDisabled(formatInstance(name), true)
    await purge(name)
    state.forgetInstance(formatInstance(name))
    state.freeUid(formatInstance(name))
  }

  const requireRemovable = (name: InstanceName): void => {
    requireKnown(name)
    requireStaying(name)
    if (roster.sourceOf(name) !== 'config') return
    throw new TenementError('declared', `${formatInstance(name)} is declared in ${configFile}`, {
      fix: `take "${name.id}" out of [instances] in ${configFile} and restart tenement; "tenement disable ${formatInstance(name)}" ends it now`,
    })
  }

  return {
    status(name) {
      requireKnown(name)
      return status(name)
    },
    why(name) {
      requireKnown(name)
      return why(name)
    },
    async add(name) {
      if (!isName(name.id))
        throw new TenementError('invalid_name', `"${printable(name.id)}" is not an instance id`, {
          fix: 'use 1 to 63 of a-z, 0-9 and "-", beginning and ending with a letter or digit',
        })
      requireService(name)
      requireStaying(name)
      const source = roster.sourceOf(name)
      if (source === 'config' || source === 'added')
        throw new TenementError('already_exists', `${formatInstance(name)} is there already`, {
          fix: source === 'config' ? `it is declared in ${configFile}` : 'it was added before',
        })
      state.addInstance(formatInstance(name))
      roster.add(name)
      return status(name)
    },
    async remove(name, { purge: isPurged }) {
      requireRemovable(name)
      const key = formatInstance(name)
      const instance = fleet.get(name)
      leaving.add(key)
      try {
        if (instance !== undefined) await orders.close(instance, () => refusals.removed(key), 'removed by an operator')
        if (isPurged) await removeData(name)
        else state.forgetInstance(key)
        roster.remove(name)
        if (instance !== undefined) fleet.forget(instance)
      } catch (thrown) {
        // It is still there, so it can be removed again; but what is left of its data is nothing to wake.
        if (instance !== undefined) {
          orders.reopen(instance)
          if (isPurged) await orders.disable(instance)
        }
        throw thrown
      } finally {
        leaving.delete(key)
      }
      return { purged: isPurged, dataDir: dataDir(name) }
    },
    async wake(name) {
      const instance = instanceOf(name)
      return woken(instance, orders.wake(instance))
    },
    async restart(name) {
      const instance = instanceOf(name)
      return woken(instance, orders.restart(instance))
    },
    async trace(name, { restart }) {
      const instance = instanceOf(name)
      requireTraceable(instance, status(name))
      if (!restart) requireAsleep(instance)
      const run = tracing.next(name)
      // It may wait for its turn, or fail: status tells. The order has been carried out when the start is under way.
      const over = (): void => tracing.noMore(name)
      ;(restart ? orders.restart(instance) : orders.wake(instance)).then(over, over)
      return { run }
    },
    async stop(name) {
      await orders.stop(instanceOf(name))
      return status(name)
    },
    async disable(name) {
      const instance = instanceOf(name)
      state.setDisabled(instance.key, true)
      await orders.disable(instance)
      return status(name)
    },
    async enable(name) {
      const instance = instanceOf(name)
      state.setDisabled(instance.key, false)
      orders.enable(instance)
      return status(name)
    },
    async pause(name) {
      const instance = instanceOf(name)
      state.setPaused(instance.key, true)
      await orders.pause(instance)
      return status(name)
    },
    async resume(name) {
      const instance = instanceOf(name)
      state.setPaused(instance.key, false)
      orders.resume(instance)
      return status(name)
    },
  }
}

/** What lets an instance be started again that an operator keeps down; undefined where nobody does. */
const releaseOf = ({ key, bars }: Instance): string | undefined => {
  if (bars.isDisabled) return `"tenement enable ${key}"`
  return bars.isPaused ? `"tenement resume ${key}"` : undefined
}

const requireTraceable = (instance: Instance, { isolation, seccomp }: InstanceStatus): void => {
  const { key, bars } = instance
  if (seccomp === null)
    throw new TenementError('start_failed', `${key} has isolation "${isolation}", which filters no system calls`, {
      fix: 'set isolation to "namespace" or "sandbox", then trace it there',
    })
  const fix = releaseOf(instance)
  if (fix !== undefined)
    throw new TenementError('busy', `${key} is ${bars.isDisabled ? 'disabled' : 'paused'}`, { fix })
}

/** What is traced is traced from its first instruction, so it must not run yet. */
const requireAsleep = ({ key, state }: Instance): void => {
  if (runOf(state) !== undefined || state.phase === 'queued')
    throw new TenementError('busy', `${key} is ${state.phase}, and a trace begins with the start`, {
      fix: `"tenement trace ${key} --restart" stops it first`,
    })
}

const wakeFailed = (instance: Instance, refusal: Refusal): TenementError => {
  const { key, chronicle } = instance
  const reason =
    refusal.reason === 'start_failed' || refusal.reason === 'crashloop' ? chronicle.history.tellLastStop() : undefined
  const message = reason === undefined ? refusal.message : `${key} could not be started: ${reason}`
  const fix = releaseOf(instance) ?? `see what it wrote with "tenement logs ${key}"`
  return new TenementError('start_failed', message, { fix, cause: refusal })
}
