// Many short stays cost more than one long one: an instance that is woken too often is kept awake for a while where its service
// asks for that, and its operator is told in any case. Whose doing the wakes are is for a person to find out.
import type { House, ServiceRules } from './house.ts'

/** How long one is kept awake that was woken too often, in milliseconds. */
const keptAwakeMs = 600_000

interface Woken {
  readonly key: string
  readonly rules: Pick<ServiceRules, 'wakesMax' | 'flapGuard'>
  readonly house: Pick<House, 'clock' | 'idle' | 'log' | 'wakeBook'>
}

/** Counts a wake. Returns the idle-clock time until which it is to be kept awake; undefined where it is not. */
export const countWake = ({ key: instance, rules, house }: Woken): number | undefined => {
  const { clock, idle, log, wakeBook } = house
  const { wakesMax, flapGuard } = rules
  if (!wakeBook.note(instance, clock.nowMs(), wakesMax)) return undefined
  const keptAwakeForMs = flapGuard ? keptAwakeMs : undefined
  log.warn({ instance, wakesMax, keptAwakeForMs }, 'was woken too often within a minute')
  return keptAwakeForMs === undefined ? undefined : idle.nowMs() + keptAwakeForMs
}
