// Waits until an instance is in a phase. It looks first and follows what happens then, with no gap between: a phase that is
// over again by the time anybody looks counts too. Where more happens at once than is kept, it looks again.
import { abortsWithin } from '../abortsWithin.ts'
import { TenementError } from '../errors.ts'
import { formatInstance, type InstanceName } from '../names.ts'
import type { Events } from './events.ts'
import type { InstanceStatus, Operations, Phase } from './operations.ts'

export interface Wanted {
  readonly name: InstanceName
  readonly phase: Phase
  readonly timeoutMs: number
  /** As it was written, for the error. */
  readonly timeout: string
  /** Aborts when nobody waits any more. */
  readonly gone: AbortSignal
}

/** Resolves with its status then. Rejects with 'timed_out' when the time is over first, with 'unknown_instance' for one that is not there. */
export const waitFor = async (
  operations: Pick<Operations, 'status'>,
  events: Pick<Events, 'follow'>,
  wanted: Wanted,
): Promise<InstanceStatus> => {
  const { name, phase, timeoutMs, timeout, gone } = wanted
  const over = new AbortController()
  void abortsWithin([gone, over.signal], timeoutMs).then(() => over.abort())
  const wasThere = await comesTo(operations, events, wanted, over.signal).finally(() => over.abort())
  const reached = operations.status(name)
  if (wasThere || reached.phase === phase) return reached
  const instance = formatInstance(name)
  throw new TenementError('timed_out', `${instance} was not ${phase} within ${timeout}: it is ${reached.phase}`, {
    fix: `wait longer, or see "tenement status ${instance}" for what keeps it`,
  })
}

/** False when `over` aborts first. */
const comesTo = async (
  operations: Pick<Operations, 'status'>,
  events: Pick<Events, 'follow'>,
  { name, phase }: Wanted,
  over: AbortSignal,
): Promise<boolean> => {
  const instance = formatInstance(name)
  const isWanted: Parameters<Events['follow']>[0]['isWanted'] = (event) =>
    event.kind === 'phase' && event.instance === instance && event.phase === phase
  while (!over.aborted) {
    if (operations.status(name).phase === phase) return true
    for await (const _ of events.follow({ after: undefined, isWanted, gone: over }).events) return true
  }
  return false
}
