// How a request comes to its instance: it is let in at once, waits its turn, or is refused. A request decides nothing about the
// instance; it only says that somebody wants it.
import type { Lease, WakeContext, WakeState } from '../router/wake.ts'
import type { House } from './house.ts'
import type { Instance } from './instance.ts'
import { refusalAtArrival } from './outlook.ts'
import { refusals } from './refusals.ts'
import type { Run } from './run.ts'
import { outlookOf, progressOf } from './standing.ts'

/** A lease, at once or as soon as it is ready; rejects with a Refusal when that cannot be had before the hold time is over. */
export const request = (instance: Instance, context: WakeContext): Promise<Lease> => {
  const { key, bars, house, chronicle } = instance
  const { gone } = context
  const leftMs = holdLeftMs(house, context.arrivedAtMs)
  const left = gone.aborted ? refusals.left(key, gone.reason) : undefined
  const isReady = instance.state.phase === 'ready'
  const refusal = left ?? bars.refusal ?? (isReady ? undefined : refusalAtArrival(outlookOf(instance), leftMs))
  if (refusal !== undefined) return Promise.reject(refusal)
  instance.revoke()
  if (instance.state.phase === 'ready') return Promise.resolve(instance.lease(instance.state.run))
  return new Promise((resolve, reject) => {
    const sinceMs = house.clock.nowMs()
    const admit = (run: Run): void => resolve(run.lease(chronicle.letIn(sinceMs)))
    const cause = { by: 'request', request: context.caller } as const
    const { countedAs } = context
    instance.join({ deadlineMs: sinceMs + leftMs, isOperator: false, countedAs, cause, admit, refuse: reject }, gone)
  })
}

/** The clock that stamped the arrival is the machine's and may have been set since; nobody waits longer than the hold time. */
const holdLeftMs = ({ clock, holdTimeoutMs }: House, arrivedAtMs: number): number =>
  Math.max(holdTimeoutMs - Math.max(clock.wallMs() - arrivedAtMs, 0), 0)

/** How far its wake is. Who looks keeps up a wish, and causes nothing else. */
export const look = (instance: Instance): WakeState => {
  instance.demand?.look()
  return progressOf(instance)
}
