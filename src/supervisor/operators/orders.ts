// What operators order of an instance, and tenement itself when an instance is removed or everything ends. An order changes what
// keeps the instance down, tells those who wait, and has what runs wind down; which phase follows is the instance's business.
import type { Refusal } from '../../refusal.ts'
import type { Instance } from '../instance.ts'
import { runOf } from '../phases.ts'
import { refusals } from '../refusals.ts'

const waitFor = (instance: Instance, order: 'wake' | 'restart'): Promise<void> => {
  const { drainTimeoutMs, stopTimeoutMs, startTimeoutMs } = instance.rules
  const { clock, holdTimeoutMs } = instance.house
  const deadlineMs = clock.nowMs() + drainTimeoutMs + stopTimeoutMs + startTimeoutMs + holdTimeoutMs
  return new Promise((resolve, reject) => {
    const cause = { by: 'operator', order } as const
    instance.join({ deadlineMs, isOperator: true, cause, admit: () => resolve(), refuse: reject })
  })
}

const end = (instance: Instance, refusal: () => Refusal, why: string, drainMs?: number): Promise<void> => {
  instance.demand?.lapse()
  instance.demand?.refuseAll(refusal)
  return instance.windDown(why, drainMs)
}

export const orders = {
  /** Resolves when it is ready, whatever its crashes say about waiting; rejects with a Refusal at the first failed start. */
  wake(instance: Instance): Promise<void> {
    const refusal = instance.bars.refusalToOperators
    if (refusal !== undefined) return Promise.reject(refusal)
    instance.revoke()
    if (instance.state.phase !== 'ready') return waitFor(instance, 'wake')
    instance.house.admission.review()
    return Promise.resolve()
  },

  /** Like `wake`, with a new process and its crashes forgiven; requests wait for it meanwhile. */
  restart(instance: Instance): Promise<void> {
    const refusal = instance.bars.refusalToOperators
    if (refusal !== undefined) return Promise.reject(refusal)
    instance.crashes.forgive()
    // Looked at first: one that sleeps may be started by the very next line, and that start is not to be ended.
    const hasRun = runOf(instance.state) !== undefined
    const woken = waitFor(instance, 'restart')
    if (hasRun) void instance.windDown('restarted by an operator')
    return woken
  },

  /** Resolves when nothing of it runs. A request that comes from now on wakes it again. */
  stop(instance: Instance): Promise<void> {
    return end(instance, () => refusals.stopped(instance.key), 'stopped by an operator')
  },

  /** Resolves when nothing of it runs; nothing will until `enable`. */
  disable(instance: Instance): Promise<void> {
    instance.bars.isDisabled = true
    return end(instance, () => refusals.disabled(instance.key), 'disabled by an operator')
  },

  /** Also forgives its crashes. */
  enable(instance: Instance): void {
    instance.bars.isDisabled = false
    instance.crashes.forgive()
    const { phase } = instance.state
    if (phase === 'disabled' || phase === 'crashlooped' || phase === 'backoff') instance.rest()
  },

  /** Resolves when nothing of it runs, nor will until `resume`. Requests go on waiting for their time, and are refused then. */
  pause(instance: Instance): Promise<void> {
    const { bars, demand, key } = instance
    bars.isPaused = true
    demand?.unwant()
    demand?.refuseIf(
      ({ isOperator }) => isOperator,
      () => refusals.paused(key),
    )
    return instance.windDown('paused by an operator')
  },

  /** Its crashes still count: a pause is no repair. */
  resume(instance: Instance): void {
    const { bars, crashes, demand } = instance
    bars.isPaused = false
    if (instance.state.phase !== 'paused') return
    const mayTry = !crashes.isBreakerOpen || (crashes.closedForMs === 0 && demand?.isAwaited === true)
    if (mayTry) instance.goOn()
    else instance.leaveAlone()
  },

  /** Lets nobody in until `reopen`. Resolves when nothing of it runs; requests in progress get `drainMs` at most. */
  close(instance: Instance, refusal: () => Refusal, why: string, drainMs?: number): Promise<void> {
    instance.bars.closed = refusal
    return end(instance, refusal, why, drainMs)
  },

  reopen({ bars }: Instance): void {
    bars.closed = undefined
  },
} as const
