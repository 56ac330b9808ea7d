// What a server holds on to while it lives, and what becomes of that when it is killed: its timers never fire, it writes nothing
// more, and a process that was being started for it is ended by its launcher, which would have nobody to tell of it.
import type { State } from '../../../src/state/state.ts'
import type { Clock } from '../../../src/supervisor/clock.ts'
import type { ScriptedProcess } from './scriptedProcess.ts'

const never = new Promise<never>(() => undefined)

export class Mortal {
  #isDead = false
  readonly #timers = new Set<() => void>()

  end(): void {
    this.#isDead = true
    for (const cancel of this.#timers) cancel()
  }

  clock(clock: Clock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs(),
      setTimer: (ms, run) => {
        if (this.#isDead) return () => undefined
        const cancel = clock.setTimer(ms, () => {
          this.#timers.delete(cancel)
          run()
        })
        this.#timers.add(cancel)
        return () => {
          this.#timers.delete(cancel)
          cancel()
        }
      },
    }
  }

  /** Resolves as long as it lives. */
  alive(): Promise<void> {
    return this.#isDead ? never : Promise.resolve()
  }

  async launched(launch: () => Promise<ScriptedProcess>): Promise<ScriptedProcess> {
    if (this.#isDead) return never
    const process = await launch()
    if (!this.#isDead) return process
    process.exit({ code: null, signal: 'SIGKILL' })
    return never
  }

  withoutWrites(state: State): State {
    const write =
      <Arguments extends readonly unknown[]>(method: (...given: Arguments) => void) =>
      (...given: Arguments): void => {
        if (!this.#isDead) method(...given)
      }
    return {
      ...state,
      setBreaker: write(state.setBreaker),
      setDisabled: write(state.setDisabled),
      forgetInstance: write(state.forgetInstance),
    }
  }
}
