// How an end is told to people: durations and exits in words. Pure.
import { messageOf } from '../errors.ts'
import type { Ending } from './run.ts'

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** '5m', '1h30m', '12s', '250ms': at most two units, the rest cut off. */
export const formatDuration = (ms: number): string => {
  if (ms < 1_000) return `${Math.max(Math.round(ms), 0)}ms`
  const first = units.findIndex(([, size]) => ms >= size)
  let rest = ms
  const parts = units.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? '' : `${count}${unit}`
  })
  return parts.join('')
}

/** How a run ended, as in 'exited with code 3 after 12s'. */
export const describeEnding = (ending: Ending, ranForMs: number): string => {
  if (ending.kind === 'not started') return `could not be started: ${messageOf(ending.cause)}`
  const { code, signal, outOfMemory, refusedForks, outOfStorage, endedFor } = ending.exit
  const after = `after ${formatDuration(ranForMs)}`
  if (endedFor !== null) return `was ended ${after}: ${endedFor}`
  if (outOfMemory) return `ran out of memory ${after}`
  const how = signal === null ? `exited with code ${code} ${after}` : `was killed by ${signal} ${after}`
  // Seldom the whole reason, and always what to look at: a program that cannot start a thread says so in its own words, or not at all.
  const refused = refusedForks === 1 ? '1 process or thread' : `${refusedForks} processes or threads`
  const causes = [
    ...(refusedForks === 0 ? [] : [`having been refused ${refused} by its limit`]),
    ...(outOfStorage ? ['with its data at storage_max'] : []),
  ]
  return [how, ...causes].join(', ')
}

/** A line a tenant wrote, fit for an operator's terminal: control and formatting characters could rewrite what is shown there. */
export const printable = (line: string): string =>
  line.slice(0, 200).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '?')
