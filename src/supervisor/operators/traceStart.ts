// Has the next start of an instance wait for a tracer, where there is anything to trace and the instance is down.
import type { InstanceStatus, Operations } from '../../control/operations.ts'
import { TenementError } from '../../errors.ts'
import type { InstanceName } from '../../names.ts'
import { releaseOf } from '../bars.ts'
import type { Instance } from '../instance.ts'
import { runOf } from '../phases.ts'
import type { Lookup } from './lookup.ts'
import { orders } from './orders.ts'

/** How the next start of an instance is made to wait for a tracer, and how that is taken back. */
export interface Tracing {
  next(name: InstanceName): string
  noMore(name: InstanceName): void
}

export interface TraceStartOptions {
  readonly lookup: Lookup
  readonly tracing: Tracing
  status(name: InstanceName): InstanceStatus
}

export const createTraceStart =
  ({ lookup, tracing, status }: TraceStartOptions): Operations['trace'] =>
  async (name, { restart }) => {
    const instance = lookup.instanceOf(name)
    requireTraceable(instance, status(name))
    if (!restart) requireAsleep(instance)
    const run = tracing.next(name)
    // It may wait for its turn, or fail: status tells. The order has been carried out when the start is under way.
    const over = (): void => tracing.noMore(name)
    ;(restart ? orders.restart(instance) : orders.wake(instance)).then(over, over)
    return { run }
  }

const requireTraceable = ({ key, bars }: Instance, { isolation, seccomp }: InstanceStatus): void => {
  if (seccomp === null)
    throw new TenementError('start_failed', `${key} has isolation "${isolation}", which filters no system calls`, {
      fix: 'set isolation to "namespace" or "sandbox", then trace it there',
    })
  const fix = releaseOf(key, bars)
  if (fix !== undefined)
    throw new TenementError('busy', `${key} is ${bars.isDisabled ? 'disabled' : 'paused'}`, { fix })
}

/** What is traced is traced from its first instruction, so it must not run yet. */
const requireAsleep = ({ key, state }: Instance): void => {
  if (runOf(state) !== undefined || state.phase === 'queued')
    throw new TenementError('busy', `${key} is ${state.phase}, and a trace begins with the start`, {
      fix: `"tenement trace ${key} --restart" stops it first`,
    })
}
