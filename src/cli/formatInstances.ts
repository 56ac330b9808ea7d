// What `ps` prints: one line per instance. Pure.
import { visible } from '../config/problem.ts'
import type { InstanceStatus, Phase } from '../control/operations.ts'
import { type Cell, formatTable } from './formatTable.ts'
import { formatBytes, formatDuration } from './formatUnits.ts'
import type { Paint, Style } from './terminal.ts'

const phaseStyles: Readonly<Partial<Record<Phase, Style>>> = {
  asleep: 'dim',
  queued: 'cyan',
  starting: 'cyan',
  ready: 'green',
  frozen: 'dim',
  draining: 'cyan',
  stopping: 'cyan',
  backoff: 'yellow',
  crashlooped: 'red',
  paused: 'yellow',
  disabled: 'dim',
}

/** A phase in its colour. */
export const phaseCell = (phase: Phase): Cell => {
  const style = phaseStyles[phase]
  return style ? { text: phase, style } : { text: phase }
}

const headings = ['INSTANCE', 'PHASE', 'PID', 'UPTIME', 'IDLE', 'RESTARTS', 'MEMORY', 'REQUESTS', 'ADDRESS']

const cell = (value: string | number | null): Cell => ({ text: value === null ? '-' : visible(String(value)) })

const map = <T>(value: T | null, format: (value: T) => string): string | null => (value === null ? null : format(value))

const rowOf = (instance: InstanceStatus): readonly Cell[] => [
  cell(instance.instance),
  phaseCell(instance.phase),
  cell(instance.pid),
  cell(map(instance.uptimeMs, formatDuration)),
  cell(map(instance.idleMs, formatDuration)),
  cell(instance.restarts),
  cell(map(instance.memoryBytes, formatBytes)),
  cell(instance.requests),
  cell(instance.address),
]

/** The table of `ps`. '-' stands for what an instance does not have in its phase. */
export const formatInstances = (instances: readonly InstanceStatus[], paint: Paint): string =>
  formatTable(headings, instances.map(rowOf), paint)
