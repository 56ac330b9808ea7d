// What an instance leaves behind from one run to the next, for those who ask how it has been doing. Nothing decides by it.
// It holds the last of each thing and no list of them, so that its size does not grow with what happens.
import type { StopCause, WakingRequest } from '../control/account.ts'
import type { Waker } from '../control/operations.ts'
import type { End } from './phases.ts'
import type { Exit } from './process.ts'
import type { Ending } from './run.ts'
import { describeEnding, printable } from './sentences.ts'

/** Who had it started, and what waited for it first. */
export interface WakeCause {
  readonly by: Waker
  readonly order?: string | undefined
  readonly request?: WakingRequest | undefined
}

/** How a run ended, beside the ending itself. Times in milliseconds since the epoch. */
export interface EndOfRun {
  readonly startedAtMs: number
  readonly nowMs: number
  /** Why tenement ended it; undefined when it ended by itself. */
  readonly ordered?: Pick<End, 'why' | 'cause' | 'evictedFor'> | undefined
  /** It ended by itself, in order and while nobody used it. */
  readonly isChoice: boolean
}

export class History {
  /** Leases ever given. */
  requests = 0
  /** Starts that followed a crash. */
  restarts = 0
  /** When it came into its phase; undefined when this server found it there. */
  sinceMs: number | undefined
  woken: (WakeCause & { readonly atMs: number }) | undefined
  /** Why it last stopped, in a sentence. */
  lastStop: string | undefined
  stopped: { readonly atMs: number; readonly cause: StopCause; readonly evictedFor?: string | undefined } | undefined
  lastExit: { readonly atMs: number; readonly exit: Exit } | undefined
  #isAfterCrash = false

  started(cause: WakeCause, nowMs: number): void {
    const { by, order, request } = cause
    // Member by member: each spread would make an object with a shape of its own, which V8 keeps as long as the object.
    this.woken = { by, order, request, atMs: nowMs }
    if (this.#isAfterCrash) this.restarts += 1
    this.#isAfterCrash = false
  }

  crashed(): void {
    this.#isAfterCrash = true
  }

  /** Returns what it stopped for. */
  ended(ending: Ending, { startedAtMs, nowMs, ordered, isChoice }: EndOfRun): StopCause {
    this.lastStop = ordered?.why ?? describeEnding(ending, nowMs - startedAtMs)
    const cause = ordered?.cause ?? (isChoice ? 'chosen' : 'crash')
    this.stopped = { atMs: nowMs, cause, evictedFor: ordered?.evictedFor }
    if (ending.kind === 'exited') this.lastExit = { atMs: nowMs, exit: ending.exit }
    return cause
  }

  /** Why it last stopped with the last line it wrote: for an operator, never for a client. */
  tellLastStop(): string | undefined {
    const line = this.lastExit?.exit.lastLines.at(-1)
    return line === undefined ? this.lastStop : `${this.lastStop}; its last line was "${printable(line)}"`
  }
}
