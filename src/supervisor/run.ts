// One start of an instance, from the decision until its last process is gone: the process, the leases on it and its end.
// The process may not exist yet when the run is told to end; it is then ended as soon as it does, so that a late launch
// never leaves a process behind. It knows nothing of phases.
import { Departure } from '../departure.ts'
import type { Endpoint, Lease } from '../router/wake.ts'
import type { Clock } from './clock.ts'
import type { Exit, Process } from './process.ts'
import { countTraffic } from './traffic.ts'
import type { Waited } from './wakeTimer.ts'

/** How a run ended: its process exited, or it never came to be. */
export type Ending =
  | { readonly kind: 'exited'; readonly exit: Exit }
  | { readonly kind: 'not started'; readonly cause: unknown }

export interface Run {
  /** Undefined until it exists. */
  readonly process: Process | undefined
  /** Rejects when there never is a process. */
  readonly launched: Promise<Process>
  /** Resolves when nothing of it is left; never rejects. */
  readonly ended: Promise<Ending>
  /** Leases not yet released. */
  readonly active: number
  lease(waited: Waited): Lease
  /** Bytes that it has sent to those who had a lease. */
  receivedBytes(): number
  /** Has it found in this phase by a later server, ready since `sinceMs` (monotonic here, kept as wall time). */
  noteReady(phase: 'ready' | 'frozen', sinceMs: number): void
  /** The instance gets nothing more from here on, and idle connections to it are closed. */
  unroute(): void
  /** Asks the process to end, or ends it; `onFailure` hears when not even that could be asked. */
  end(how: 'stop' | 'kill', onFailure: (error: unknown) => void): void
}

export interface RunOptions {
  readonly clock: Clock
  /** The process, when it exists already. */
  readonly process: Process | undefined
  readonly launched: Promise<Process>
  readonly responseTimeoutMs: number
  /** Called for the first answer alone, with the time since its lease was given. */
  onFirstAnswer(tookMs: number): void
  /** Called when the last lease was released. */
  onUnused(): void
}

/** A program that ends by itself, in order and while nobody uses it, has chosen to sleep. */
export const isChoice = (run: Run, ending: Ending): boolean =>
  ending.kind === 'exited' && ending.exit.code === 0 && run.active === 0

const endingOf = (launched: Promise<Process>): Promise<Ending> =>
  launched.then(
    async (process): Promise<Ending> => ({ kind: 'exited', exit: await process.exited }),
    (cause: unknown): Ending => ({ kind: 'not started', cause }),
  )

export const createRun = ({
  clock,
  launched,
  responseTimeoutMs,
  onFirstAnswer,
  onUnused,
  ...known
}: RunOptions): Run => {
  const gone = new Departure('the instance gets no further request')
  let { process } = known
  let active = 0
  let isAnswered = false
  launched.then(
    (started) => {
      process = started
    },
    // A launch that failed is told by `ended`.
    () => undefined,
  )

  const traffic = countTraffic(async () => (await launched).connect())
  const endpoint: Endpoint = {
    connect: traffic.connect,
    gone,
    responseTimeoutMs,
  }

  const lease = (waited: Waited): Lease => {
    const sinceMs = isAnswered ? 0 : clock.nowMs()
    let isHeld = true
    active += 1
    const release = (): void => {
      if (!isHeld) return
      isHeld = false
      active -= 1
      if (active === 0) onUnused()
    }
    const answered = (): void => {
      if (isAnswered) return
      isAnswered = true
      onFirstAnswer(clock.nowMs() - sinceMs)
    }
    return { endpoint, waited, answered, release }
  }

  return {
    get process() {
      return process
    },
    get active() {
      return active
    },
    launched,
    ended: endingOf(launched),
    lease,
    receivedBytes: traffic.receivedBytes,
    noteReady: (phase, sinceMs) => process?.note({ phase, readyAtMs: clock.wallMs() - (clock.nowMs() - sinceMs) }),
    unroute: () => gone.abort(),
    end(how, onFailure) {
      const tell = (started: Process): void => {
        started[how]().catch(onFailure)
      }
      if (process === undefined) launched.then(tell, () => undefined)
      else tell(process)
    },
  }
}
