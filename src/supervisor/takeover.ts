// What an earlier server left: processes that still run become their instances' own again, in the phase they are in; those
// nobody is configured for are ended; ends that nobody saw are counted.
import { formatInstance, type InstanceName } from '../names.ts'
import type { Fleet } from './fleet.ts'
import type { Instance } from './instance.ts'
import { orders } from './operators/orders.ts'
import type { Adopted, Exit } from './process.ts'
import type { Strays } from './strays.ts'

export interface Left {
  /** Processes that still run. */
  readonly adopted: readonly Adopted[]
  /** Ends of processes that no server saw. */
  readonly exits: readonly { readonly name: InstanceName; readonly exit: Exit }[]
}

const adopt = (instance: Instance, left: Omit<Adopted, 'name'>): void => {
  instance.adopt(left)
  if (instance.bars.isDisabled) void orders.disable(instance)
  else if (instance.bars.isPaused) void orders.pause(instance)
}

export const takeOver = (fleet: Fleet, strays: Strays, { adopted, exits }: Left): void => {
  // The newest first: should there be two of one instance, the older ones are the leftovers.
  const newestFirst = [...adopted].sort((one, other) => other.process.startedAtMs - one.process.startedAtMs)
  for (const { name, process, note } of newestFirst) {
    const instance = fleet.get(name)
    if (instance === undefined || 'run' in instance.state) strays.end(formatInstance(name), process)
    else adopt(instance, { process, note })
  }
  for (const { name, exit } of exits) {
    const instance = fleet.get(name)
    if (instance === undefined || 'run' in instance.state) continue
    instance.endedUnseen(exit)
    fleet.forgetIfUnused(instance)
  }
}
