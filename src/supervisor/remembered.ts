// What the state remembers of instances from one server to the next: who is disabled, who is paused, whose breaker is open.
import { messageOf } from '../errors.ts'
import type { Breaker, State } from '../state/state.ts'
import type { House, InstanceOptions } from './house.ts'
import type { Log } from './log.ts'

export interface Remembered {
  /** Of whom something is remembered that nobody has taken yet. */
  keys(): readonly string[]
  /** It counts for the first time an instance is made: from then on the instance knows better. */
  take(instance: string): Pick<InstanceOptions, 'isDisabled' | 'isPaused' | 'breaker'>
  readonly keepBreaker: House['keepBreaker']
}

export const createRemembered = (
  state: Pick<State, 'disabledInstances' | 'pausedInstances' | 'breakers' | 'setBreaker'>,
  log: Log,
): Remembered => {
  const disabled = new Set(state.disabledInstances())
  const paused = new Set(state.pausedInstances())
  const breakers = new Map<string, Breaker>(state.breakers())
  return {
    keys: () => [...disabled, ...paused, ...breakers.keys()],
    take(instance) {
      const breaker = breakers.get(instance)
      breakers.delete(instance)
      return { isDisabled: disabled.delete(instance), isPaused: paused.delete(instance), breaker }
    },
    keepBreaker(instance, breaker) {
      try {
        state.setBreaker(instance, breaker)
      } catch (error) {
        // The breaker works without it; only a restarted server would not know.
        log.error({ instance, error: messageOf(error) }, 'could not write the breaker to the state')
      }
    },
  }
}
