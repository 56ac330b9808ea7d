// What an operator can ask for. Each order is written to the state first and carried out then: what a command has said
// holds after a restart too, and a state that cannot be written changes nothing.
// `stop` is no lasting order: the next request wakes the instance again. `disable` and `pause` are.
import type { InstanceStatus, Operations } from '../../control/operations.ts'
import { TenementError } from '../../errors.ts'
import { formatInstance, type InstanceName, isName } from '../../names.ts'
import { Refusal } from '../../refusal.ts'
import type { State } from '../../state/state.ts'
import { releaseOf } from '../bars.ts'
import type { Instance } from '../instance.ts'
import { printable } from '../sentences.ts'
import { createLookup, type LookupOptions } from './lookup.ts'
import { orders } from './orders.ts'
import { createRemove, type RemoveOptions } from './remove.ts'
import { createTraceStart, type Tracing } from './traceStart.ts'
import type { Views } from './views.ts'

export interface OperateOptions extends LookupOptions, Pick<RemoveOptions, 'purge' | 'dataDir'> {
  readonly state: Pick<State, 'addInstance' | 'setDisabled' | 'setPaused' | 'forgetInstance' | 'freeUid'>
  readonly tracing: Tracing
  readonly views: Views
}

export const createOperations = (options: OperateOptions): Operations => {
  const { roster, state, configFile, tracing, views } = options
  const { status } = views
  const lookup = createLookup(options)
  const { requireService, requireKnown, requireStaying, instanceOf } = lookup

  /** Waits for a wake; a refusal becomes an error with what an operator may know of it. */
  const woken =
    (order: (instance: Instance) => Promise<void>) =>
    async (name: InstanceName): Promise<InstanceStatus> => {
      const instance = instanceOf(name)
      try {
        await order(instance)
      } catch (thrown) {
        throw thrown instanceof Refusal ? wakeFailed(instance, thrown) : thrown
      }
      return status(name)
    }

  const ordered =
    (order: (instance: Instance) => Promise<void> | void) =>
    async (name: InstanceName): Promise<InstanceStatus> => {
      await order(instanceOf(name))
      return status(name)
    }

  return {
    ...views,
    status(name) {
      requireKnown(name)
      return status(name)
    },
    why(name) {
      requireKnown(name)
      return views.why(name)
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
    remove: createRemove({ ...options, lookup }),
    trace: createTraceStart({ lookup, tracing, status }),
    wake: woken(orders.wake),
    restart: woken(orders.restart),
    stop: ordered(orders.stop),
    disable: ordered((instance) => {
      state.setDisabled(instance.key, true)
      return orders.disable(instance)
    }),
    enable: ordered((instance) => {
      state.setDisabled(instance.key, false)
      orders.enable(instance)
    }),
    pause: ordered((instance) => {
      state.setPaused(instance.key, true)
      return orders.pause(instance)
    }),
    resume: ordered((instance) => {
      state.setPaused(instance.key, false)
      orders.resume(instance)
    }),
  }
}

const wakeFailed = ({ key, bars, chronicle }: Instance, refusal: Refusal): TenementError => {
  const reason =
    refusal.reason === 'start_failed' || refusal.reason === 'crashloop' ? chronicle.history.tellLastStop() : undefined
  const message = reason === undefined ? refusal.message : `${key} could not be started: ${reason}`
  const fix = releaseOf(key, bars) ?? `see what it wrote with "tenement logs ${key}"`
  return new TenementError('start_failed', message, { fix, cause: refusal })
}
