// Tells what happens to one instance, and keeps of it what is asked for later: its history, how its last wake went, and how long
// wakes take. It is told of each change of phase in one place, and changes nothing itself.
import type { StopCause } from '../control/account.ts'
import type { Waker } from '../control/operations.ts'
import type { InstanceName } from '../names.ts'
import { type EndOfRun, History, type WakeCause } from './history.ts'
import type { House } from './house.ts'
import { isFailedStart, type PhaseState, runOf } from './phases.ts'
import type { Exit } from './process.ts'
import { whyOf } from './report.ts'
import { type Ending, isChoice, type Run } from './run.ts'
import { nextWakeTimes, type WakeTimes } from './wakeTime.ts'
import { type Waited, WakeTimer } from './wakeTimer.ts'

const notWaited: Waited = { queueMs: 0, wakeMs: 0 }

export class Chronicle {
  readonly history = new History()
  readonly #name: InstanceName
  readonly #instance: string
  readonly #house: House
  /** The last wake, or the one under way; undefined for a process that an earlier server started. */
  wake: WakeTimer | undefined
  #wakeTimes: WakeTimes | undefined

  /** `instance` is 'service:id', as `name` says it. */
  constructor(name: InstanceName, instance: string, house: House) {
    this.#name = name
    this.#instance = instance
    this.#house = house
  }

  /** How long it takes to wake, or else its service; undefined when none was ever seen waking. */
  get wakeTimes(): WakeTimes | undefined {
    return this.#wakeTimes ?? this.#house.wakeTimes.get(this.#name.service)
  }

  /** From now on it waits for its turn to start. */
  wakeBegan(cause: Waker): void {
    this.wake = new WakeTimer(this.#house.clock, cause)
  }

  started(cause: WakeCause, run: Run): void {
    this.history.started(cause, this.#house.clock.wallMs())
    const { wake } = this
    wake?.started(cause.by)
    run.launched.then(
      () => wake?.spawned(),
      // A launch that failed ends the run, which tells.
      () => undefined,
    )
  }

  /** An earlier server started it, at this time since the epoch. */
  tookOver(startedAtMs: number): void {
    this.history.started({ by: 'takeover' }, startedAtMs)
    this.wake = undefined
  }

  becameReady(run: Run, durationMs: number): void {
    const { wakeTimes } = this.#house
    const { service } = this.#name
    this.#wakeTimes = nextWakeTimes(this.#wakeTimes, durationMs)
    wakeTimes.set(service, nextWakeTimes(wakeTimes.get(service), durationMs))
    this.wake?.becameReady()
    this.#log(run, 'became ready', { durationMs: Math.round(durationMs) })
  }

  /** A request is let in, at once or having waited since `sinceMs`. */
  letIn(sinceMs?: number): Waited {
    this.history.requests += 1
    if (sinceMs === undefined) return notWaited
    return this.wake?.waitedSince(sinceMs) ?? { queueMs: 0, wakeMs: this.#house.clock.nowMs() - sinceMs }
  }

  /** Only of a wake of this server's own. */
  answeredFirst(tookMs: number): void {
    if (this.wake === undefined) return
    this.wake.answered(tookMs)
    this.#house.report({ kind: 'first answer', name: this.#name, tookMs })
  }

  changed(before: PhaseState, next: PhaseState): void {
    const { clock, report } = this.#house
    const { history, wake } = this
    history.sinceMs = clock.wallMs()
    report({
      kind: 'phase',
      name: this.#name,
      before: before.phase,
      phase: next.phase,
      why: whyOf(before, next, history.lastStop),
      atMs: clock.wallMs(),
      pid: (runOf(next) ?? runOf(before))?.process?.pid,
      isFailing: 'end' in next && next.end.isCrash,
      wake: wake && { cause: wake.cause, steps: wake.steps },
    })
    if (next.phase === 'frozen') this.#log(next.run, 'frozen')
    if (next.phase === 'ready' && before.phase === 'frozen') this.#logUnfrozen(next.run, before.isThawing)
  }

  /** `state` is the one in which the run ended. */
  ended(state: PhaseState, run: Run, ending: Ending): void {
    const { clock, report } = this.#house
    const nowMs = clock.wallMs()
    const { code, signal, outOfMemory, refusedForks } = ending.kind === 'exited' ? ending.exit : {}
    this.history.ended(ending, endOf(state, run, ending, nowMs))
    const why = this.history.lastStop
    this.#log(run, 'ended', { code, signal, outOfMemory, refusedForks, why })
    report({ kind: 'end', name: this.#name, phase: state.phase, why, atMs: nowMs, pid: run.process?.pid })
  }

  /** Of a process that an earlier server started. Returns what it stopped for. */
  endedUnseen(exit: Exit): StopCause {
    const nowMs = this.#house.clock.wallMs()
    const isChoice = exit.code === 0
    const ordered = { why: 'ended while no tenement was running', cause: isChoice ? 'chosen' : 'crash' } as const
    return this.history.ended({ kind: 'exited', exit }, { startedAtMs: nowMs, nowMs, isChoice, ordered })
  }

  crashed(): void {
    this.history.crashed()
    this.#house.report({ kind: 'crashed', name: this.#name })
  }

  evicted(): void {
    this.#house.report({ kind: 'evicted', name: this.#name })
  }

  #logUnfrozen(run: Run, isThawed: boolean): void {
    if (isThawed) this.#log(run, 'thawed')
    else this.#house.log.warn({ instance: this.#instance }, 'cannot be frozen on this machine, and stays ready')
  }

  #log(run: Run, message: string, more: Readonly<Record<string, unknown>> = {}): void {
    this.#house.log.info({ instance: this.#instance, pid: run.process?.pid, ...more }, message)
  }
}

const endOf = (state: PhaseState, run: Run, ending: Ending, nowMs: number): EndOfRun => {
  const signal = ending.kind === 'exited' ? ending.exit.signal : undefined
  // A failed start that ended by itself before it could be killed has the better reason.
  const isOurs = state.phase === 'stopping' && (!isFailedStart(state.end) || signal === 'SIGKILL')
  return {
    startedAtMs: run.process?.startedAtMs ?? nowMs,
    nowMs,
    ordered: isOurs ? state.end : undefined,
    isChoice: (state.phase === 'ready' || state.phase === 'frozen') && isChoice(run, ending),
  }
}
