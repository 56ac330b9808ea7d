// Removes an instance: it lets nobody in, ends, and is forgotten. Its data stays where it is unless it is to be purged.
import type { Operations } from '../../control/operations.ts'
import { TenementError } from '../../errors.ts'
import { formatInstance, type InstanceName } from '../../names.ts'
import type { State } from '../../state/state.ts'
import { refusals } from '../refusals.ts'
import type { Lookup, LookupOptions } from './lookup.ts'
import { orders } from './orders.ts'

export interface RemoveOptions extends Pick<LookupOptions, 'roster' | 'fleet' | 'configFile'> {
  readonly lookup: Lookup
  readonly state: Pick<State, 'setDisabled' | 'forgetInstance' | 'freeUid'>
  /** Removes an instance's data for good. Called only when nothing of it runs. */
  purge(name: InstanceName): Promise<void>
  dataDir(name: InstanceName): string
}

export const createRemove = (options: RemoveOptions): Operations['remove'] => {
  const { roster, fleet, configFile, lookup, state, purge, dataDir } = options

  const removeData = async (name: InstanceName): Promise<void> => {
    // Half-removed data must not be woken, whether the removal fails or this server ends in the middle of it.
    state.setDisabled(formatInstance(name), true)
    await purge(name)
    state.forgetInstance(formatInstance(name))
    state.freeUid(formatInstance(name))
  }

  const requireRemovable = (name: InstanceName): void => {
    lookup.requireKnown(name)
    lookup.requireStaying(name)
    if (roster.sourceOf(name) !== 'config') return
    throw new TenementError('declared', `${formatInstance(name)} is declared in ${configFile}`, {
      fix: `take "${name.id}" out of [instances] in ${configFile} and restart tenement; "tenement disable ${formatInstance(name)}" ends it now`,
    })
  }

  return async (name, { purge: isPurged }) => {
    requireRemovable(name)
    const key = formatInstance(name)
    const instance = fleet.get(name)
    lookup.leaving.add(key)
    try {
      if (instance !== undefined) await orders.close(instance, () => refusals.removed(key), 'removed by an operator')
      if (isPurged) await removeData(name)
      else state.forgetInstance(key)
      roster.remove(name)
      if (instance !== undefined) fleet.forget(instance)
    } catch (thrown) {
      // It is still there, so it can be removed again; but what is left of its data is nothing to wake.
      if (instance !== undefined) orders.reopen(instance)
      if (instance !== undefined && isPurged) await orders.disable(instance)
      throw thrown
    } finally {
      lookup.leaving.delete(key)
    }
    return { purged: isPurged, dataDir: dataDir(name) }
  }
}
