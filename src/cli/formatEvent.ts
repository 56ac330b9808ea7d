// One event as a line of `events`: when, whose, from which phase to which, and why. Pure.
import { visible } from '../config/problem.ts'
import type { InstanceEvent } from '../control/wire.ts'
import { phaseCell } from './formatInstances.ts'
import type { Paint } from './terminal.ts'

/** '2026-11-23T18:15:54.123Z api:carol starting → ready pid 4101' */
export const formatEvent = ({ kind, at, instance, before, phase, why, pid }: InstanceEvent, paint: Paint): string => {
  const { text, style } = phaseCell(phase)
  const shown = style ? paint(style, text) : text
  const what = kind === 'end' ? `ended while ${shown}` : `${before === null ? '' : `${before} → `}${shown}`
  return [
    visible(at),
    paint('bold', visible(instance)),
    what,
    pid === null ? '' : `pid ${pid}`,
    why && visible(`(${why})`),
  ]
    .filter(Boolean)
    .join(' ')
}
