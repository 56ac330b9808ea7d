// Has a run held still, and has it go on: then it is asked whether it lives before anybody is let in, since what a machine that ran
// short of memory, or a clock that stood still, did to it meanwhile must not cost a request. It knows nothing of phases.
import type { Ready } from '../config/schema.ts'
import type { Clock } from './clock.ts'
import type { ServiceRules } from './house.ts'
import type { Run } from './run.ts'
import { watchStart } from './startWatch.ts'

export interface ThawOptions {
  readonly clock: Clock
  readonly run: Run
  readonly rules: Pick<ServiceRules, 'ready' | 'liveness'>
  /** Whether it could be frozen at all, once that is known. */
  readonly isHeld: Promise<boolean>
  onAlive(): void
  /** Called at most once, when it could not be thawed or gave no answer in time. */
  onDead(): void
}

/** Resolves with whether the run can be held; the kernel follows in its own time. */
export const freeze = ({ process }: Run): Promise<boolean> => process?.setFrozen(true) ?? Promise.resolve(false)

/** Time for an answer; whoever waits is better served by a new process after that. */
const answerMs = 1_000

/** A line that it wrote when it had started says nothing now. */
const questionFor = ({ ready, liveness }: ThawOptions['rules']): Ready => {
  if (liveness !== undefined) return { kind: 'http', path: liveness }
  return ready.kind === 'log' ? { kind: 'tcp' } : ready
}

/** Returns how to call the question off; the run goes on either way. */
export const thaw = ({ clock, run, rules, isHeld, onAlive, onDead }: ThawOptions): (() => void) => {
  let isOver = false
  const once = (act: () => void) => (): void => {
    if (isOver) return
    isOver = true
    act()
  }
  const dead = once(onDead)
  // Before the question: connections to what is still frozen would be taken by the kernel in its name.
  const thawing = run.process?.setFrozen(false) ?? Promise.resolve(false)
  // What was never frozen cannot be thawed either, and lives.
  void Promise.all([isHeld, thawing]).then(([wasHeld, isThawed]) => {
    if (wasHeld && !isThawed) dead()
  })
  const callOff = watchStart({
    ...{ clock, run, ready: questionFor(rules), timeoutMs: answerMs, leftMs: answerMs },
    onReady: once(onAlive),
    onFailed: dead,
  })
  return () => {
    isOver = true
    callOff()
  }
}
