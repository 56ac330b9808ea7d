// What was written beside a process, perhaps by a server of another version → a note as this server reads it. Pure.
import type { ProcessNote } from './process.ts'

/** A process without a phase that is known here is looked at as starting. */
export const parseNote = (note: unknown): ProcessNote => {
  const { phase, readyAtMs } = (typeof note === 'object' && note !== null ? note : {}) as Partial<ProcessNote>
  if (phase !== 'ready' && phase !== 'frozen' && phase !== 'stopping') return { phase: 'starting' }
  return typeof readyAtMs === 'number' ? { phase, readyAtMs } : { phase }
}
