// What all routers of one server share: counts that would mean little if each listening socket had its own.
import { createHops, type Hops } from './hops.ts'
import { createMemoryBudget, type MemoryBudget } from './memoryBudget.ts'
import { createWakeLimits, type WakeLimits } from './wakeLimits.ts'

export interface Guards {
  readonly wakes: WakeLimits
  readonly hops: Hops
  readonly memory: MemoryBudget
}

/** `wakesPerClient`: different instances that one client may wake in a minute. */
export const createGuards = ({ wakesPerClient }: { readonly wakesPerClient: number }): Guards => ({
  wakes: createWakeLimits(wakesPerClient),
  hops: createHops(),
  memory: createMemoryBudget(),
})
