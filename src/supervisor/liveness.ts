// Asks a ready instance again and again whether it still answers, on connections of its own: no lease, so that being asked keeps
// nobody awake. A program with one thread that is busy answers late and still sends its responses; it is not taken for dead.
import { calledOff } from './calledOff.ts'
import type { Clock } from './clock.ts'
import { answersHealthy, type ReadyProcess } from './readiness.ts'

export interface LivenessOptions {
  readonly clock: Clock
  readonly process: ReadyProcess
  /** The path that is asked for. */
  readonly path: string
  /** Whether an instance that still sends responses counts as failing too. */
  readonly isStrict: boolean
  /** From 0 to 1, by chance. */
  random(): number
  /** Bytes of responses so far. */
  receivedBytes(): number
  /** Called once, after the last question that counts. */
  onDead(): void
}

const intervalMs = 10_000
/** As a part of the interval: instances that became ready together are not asked together for ever. */
const jitter = 0.1
export const failuresToDie = 3

/** Returns how to stop asking. */
export const watchLiveness = (options: LivenessOptions): (() => void) => {
  const { clock, process, path, isStrict, random, receivedBytes, onDead } = options
  const over = new AbortController()
  let failures = 0
  let seenBytes = receivedBytes()
  let cancelTimer = (): void => undefined

  /** Whether it has sent something since it was last asked. */
  const isSending = (): boolean => {
    const before = seenBytes
    seenBytes = receivedBytes()
    return seenBytes !== before
  }

  const ask = async (): Promise<void> => {
    const isHealthy = await answersHealthy(clock, process, path, over.signal)
    if (over.signal.aborted) return
    const isBusy = isSending() && !isStrict
    failures = isHealthy || isBusy ? 0 : failures + 1
    if (failures < failuresToDie) later()
    else onDead()
  }

  const later = (): void => {
    cancelTimer = clock.setTimer(intervalMs * (1 + random() * jitter), () => void ask())
  }

  later()
  return () => {
    cancelTimer()
    over.abort(calledOff)
  }
}
