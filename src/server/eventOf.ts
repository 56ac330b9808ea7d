// What the supervisor tells → the events that the control API tells on.
import type { InstanceEvent } from '../control/wire.ts'
import { formatInstance } from '../names.ts'
import type { Told } from '../supervisor/report.ts'

/** Sentences may repeat what a program said; the kept events are bounded in number, and by this in size. */
const longestWhy = 500

/** Undefined for what is counted and no more. */
export const eventOf = (told: Told): Omit<InstanceEvent, 'id'> | undefined => {
  if (told.kind !== 'phase' && told.kind !== 'end') return undefined
  const { kind, name, phase, why, atMs, pid } = told
  return {
    kind,
    instance: formatInstance(name),
    service: name.service,
    phase,
    before: kind === 'phase' ? told.before : null,
    why: why?.slice(0, longestWhy) ?? null,
    at: new Date(atMs).toISOString(),
    pid: pid ?? null,
  }
}
