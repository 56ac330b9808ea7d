// What an instance leaves behind from one run to the next, for those who ask how it has been doing. Nothing decides by it.
import type { Exit } from './process.ts'
import type { Ending } from './run.ts'
import { describeEnding, printable } from './sentences.ts'

export class History {
  /** Leases ever given. */
  requests = 0
  /** Starts that followed a crash. */
  restarts = 0
  /** Why it last stopped, in a sentence. */
  lastStop: string | undefined
  lastExit: { readonly atMs: number; readonly exit: Exit } | undefined
  #isAfterCrash = false

  started(): void {
    if (this.#isAfterCrash) this.restarts += 1
    this.#isAfterCrash = false
  }

  crashed(): void {
    this.#isAfterCrash = true
  }

  /** `ordered` is why tenement ended it; undefined when it ended by itself. Times in milliseconds since the epoch. */
  ended(ending: Ending, startedAtMs: number, nowMs: number, ordered: string | undefined): void {
    this.lastStop = ordered ?? describeEnding(ending, nowMs - startedAtMs)
    if (ending.kind === 'exited') this.lastExit = { atMs: nowMs, exit: ending.exit }
  }

  /** Why it last stopped with the last line it wrote: for an operator, never for a client. */
  tellLastStop(): string | undefined {
    const line = this.lastExit?.exit.lastLines.at(-1)
    return line === undefined ? this.lastStop : `${this.lastStop}; its last line was "${printable(line)}"`
  }
}
