// One instance: which phase it is in and what each event makes of it. The only code that changes a phase.
// A wake belongs to the instance, never to a request: it goes on when all who waited have left, and ends by its own deadline.
// There is no await between looking at the phase and changing it, so what was true when it was looked at still is.
// Who asks for it is in requests.ts and operators/orders.ts, what goes on in a phase in holds.ts, what can be told of it in
// standing.ts, rest.ts and chronicle.ts.
import type { Gone } from '../departure.ts'
import { formatInstance, type InstanceName } from '../names.ts'
import type { Lease } from '../router/wake.ts'
import type { Candidate } from './admission.ts'
import { Bars } from './bars.ts'
import type { Occupant } from './capacity.ts'
import { Chronicle } from './chronicle.ts'
import { CrashBook } from './crashBook.ts'
import { Demand } from './demand.ts'
import { endAndWatch } from './endWatch.ts'
import { countWake } from './flapGuard.ts'
import { freeze } from './freezing.ts'
import type { WakeCause } from './history.ts'
import { draining, frozen, type Lasting, ready, starting, thawing } from './holds.ts'
import type { House, InstanceOptions, ServiceRules } from './house.ts'
import type { Idler } from './idle.ts'
import { isTooLate } from './outlook.ts'
import { asleep, assertChange, type End, orderly, type PhaseState, type Reason, runOf } from './phases.ts'
import type { Adopted, Exit, Process } from './process.ts'
import { refusals } from './refusals.ts'
import { evictableFromMs, isAlwaysOn, isToFreeze, mayRest, restsAtMs } from './rest.ts'
import { createRun, type Ending, type Run } from './run.ts'
import { formatDuration } from './sentences.ts'
import { verdictOf } from './verdict.ts'
import type { Waiter } from './waiters.ts'
import { longMs } from './wakeTime.ts'

const nothing = (): void => undefined

export class Instance implements Candidate, Occupant, Idler {
  readonly name: InstanceName
  /** 'service:id' */
  readonly key: string
  readonly rules: ServiceRules
  readonly house: House
  readonly bars: Bars
  readonly chronicle: Chronicle
  readonly crashes: CrashBook
  readonly #onAsleep: (instance: Instance) => void
  #demand: Demand | undefined
  #state: PhaseState
  #lastUsedMs = 0
  #keptAwakeUntilMs = 0

  /** `onAsleep` is called each time it has come to rest with nothing to be done. */
  constructor(options: InstanceOptions, onAsleep: (instance: Instance) => void) {
    const { name, rules, house, breaker, isDisabled, isPaused } = options
    this.name = name
    this.key = formatInstance(name)
    this.rules = rules
    this.house = house
    this.bars = new Bars(this.key, isDisabled, isPaused)
    this.chronicle = new Chronicle(name, this.key, house)
    this.crashes = new CrashBook(this.key, house, breaker)
    this.#onAsleep = onAsleep
    this.#state = this.bars.rest ?? (breaker === undefined ? asleep : { phase: 'crashlooped' })
  }

  get state(): PhaseState {
    return this.#state
  }

  /** Undefined when nobody wants it, and nothing was under way since it slept. */
  get demand(): Demand | undefined {
    return this.#demand
  }

  /** Idle-clock time of the end of the last lease, or of becoming ready. */
  get lastUsedMs(): number {
    return this.#lastUsedMs
  }

  /** Idle-clock time until which it is not idle whatever happens. */
  get keptAwakeUntilMs(): number {
    return this.#keptAwakeUntilMs
  }

  // Somebody wants it.

  /** Somebody asks for it. One that was about to be stopped, though nobody ordered it, is as if that had come a moment earlier. */
  revoke(): void {
    const state = this.#state
    if (state.phase === 'draining' && state.isRevocable) this.#enterReady(state.run, state.sinceMs)
  }

  /** Permission to use a run that is ready. */
  lease(run: Run): Lease {
    const lease = run.lease(this.chronicle.letIn())
    // A place that was about to be free may not be any more; who waits for it is looked at when this one is in use.
    if (run.active === 1) this.house.admission.review()
    return lease
  }

  /** Joins the queue, and sees to it that a wake is under way. Throws a Refusal when there is no room. */
  join(waiter: Waiter, gone?: Gone): void {
    this.#demanded().join(waiter, gone)
    const { phase } = this.#state
    const startsNow = phase === 'asleep' || phase === 'crashlooped' || (phase === 'backoff' && waiter.isOperator)
    if (startsNow) this.#queue()
    if (phase === 'frozen') this.#thaw()
  }

  /** Starts it when its turn comes, though nobody waits. */
  want(): void {
    if (this.#state.phase !== 'asleep' || this.bars.closed !== undefined) return
    this.#demanded().isWanted = true
    this.#queue()
  }

  #demanded(): Demand {
    this.#demand ??= new Demand(this, () => this.#dropIfUnwanted())
    return this.#demand
  }

  /** Nothing was spent on a wake that has not begun. */
  #dropIfUnwanted(): void {
    if (this.#state.phase === 'queued' && this.#isUnwanted) this.#enter(asleep)
  }

  get #isUnwanted(): boolean {
    return this.#demand?.isNone ?? true
  }

  // Somebody ends it, or lets it be again.

  /** Ends what runs, and resolves when nothing does any more; requests in progress get `drainMs` at most. */
  async windDown(why: string, drainMs = this.rules.drainTimeoutMs): Promise<void> {
    const state = this.#state
    const { phase } = state
    const end = orderly({ why, cause: 'operator' })
    if (phase === 'starting' || phase === 'frozen') this.#stop(state.run, end)
    if (phase === 'ready') this.#drain(state, { end, isRevocable: false, ms: drainMs })
    if (phase === 'ready' && (state.run.active === 0 || drainMs === 0)) this.#stop(state.run, end)
    if (phase === 'draining' && (state.isRevocable || drainMs === 0)) this.#stop(state.run, end)
    // The order came while a failed start was being ended: what follows is rest, not another try.
    if (phase === 'stopping') this.#state = { ...state, end: { ...state.end, isCrash: false } }
    const isResting = phase === 'asleep' || phase === 'crashlooped' || phase === 'paused'
    const { rest } = this.bars
    if (phase === 'queued' || phase === 'backoff' || (isResting && rest && rest.phase !== phase)) this.rest()
    // The instance's own handler of this was there first, so its phase has changed by the time this goes on.
    await runOf(state)?.ended
  }

  /** Where an instance goes of which nothing runs. */
  rest(): void {
    const { rest } = this.bars
    if (rest !== undefined) this.#enter(rest)
    else if (this.#isUnwanted) this.#enter(asleep)
    else this.#queue()
  }

  /** What kept it from starting is over. */
  goOn(): void {
    if (isAlwaysOn(this.rules)) this.#demanded().isWanted = true
    this.rest()
  }

  /** It failed too often. */
  leaveAlone(): void {
    this.#demand?.lapse()
    this.#enter({ phase: 'crashlooped' })
    this.#demand?.refuseAll(() => refusals.crashloop(this.key, this.crashes.closedForMs))
  }

  // An earlier server has left something of it.

  /** Takes over a process that an earlier server started, in the phase it is in. Only for an instance that has none. */
  adopt({ process, note }: Omit<Adopted, 'name'>): void {
    const { clock } = this.house
    const agoMs = (atMs: number): number => Math.max(clock.wallMs() - atMs, 0)
    const run = this.#createRun(Promise.resolve(process), process)
    this.chronicle.tookOver(process.startedAtMs)
    this.#set(this.#starting(run, clock.nowMs() - agoMs(process.startedAtMs)))
    if (note.phase === 'stopping')
      this.#stop(run, orderly({ why: 'stopped before tenement was restarted', cause: 'earlier' }))
    const wasReady = note.phase === 'ready' || note.phase === 'frozen'
    if (wasReady) this.#enterReady(run, clock.nowMs() - agoMs(note.readyAtMs ?? clock.wallMs()))
    // Ordered once more: the note may have been kept and the order not.
    if (note.phase === 'frozen') this.#freeze()
  }

  /** Counts an end that no server saw. Only for an instance without a process. */
  endedUnseen(exit: Exit): void {
    if (this.chronicle.endedUnseen(exit) !== 'crash') return
    this.#noteCrash(0)
    if (this.crashes.isBreakerOpen && this.#state.phase === 'asleep') this.#set({ phase: 'crashlooped' })
  }

  // Admission has its turn come, capacity wants its place, the idle watch its rest.

  get mayEvict(): boolean {
    return this.#demand?.isAwaited ?? false
  }

  start(): void {
    const cause = this.#wakeCause()
    this.#keptAwakeUntilMs = countWake(this) ?? this.#keptAwakeUntilMs
    const run = this.#createRun(this.house.launch(this.name))
    this.chronicle.started(cause, run)
    this.#enter(this.#starting(run, this.house.clock.nowMs()))
  }

  giveUp(): void {
    this.house.log.warn({ instance: this.key }, 'not started: as many instances run as may run at once')
    this.#demand?.unwant()
    this.rest()
  }

  get isLeaving(): boolean {
    return this.#state.phase === 'draining' || this.#state.phase === 'stopping'
  }

  get evictableFromMs(): number | undefined {
    return evictableFromMs(this.#state)
  }

  evict(forWhom: string): void {
    this.chronicle.evicted()
    this.#sleepBecause({ why: `stopped to make room for ${forWhom}`, cause: 'evicted', evictedFor: forWhom })
  }

  idleAtMs(nowMs: number): number {
    return restsAtMs(this, nowMs)
  }

  sleep(): void {
    if (isToFreeze(this)) this.#freeze()
    else this.#sleepBecause({ why: `idle for ${formatDuration(this.rules.idleTimeoutMs ?? 0)}`, cause: 'idle' })
  }

  // The change itself.

  #enter(next: PhaseState): void {
    assertChange(this.key, this.#state.phase, next.phase)
    this.#set(next)
  }

  /** What the phase left holds is let go after the change: whoever is called by that must already see the new phase. */
  #set(next: PhaseState): void {
    const { capacity, admission } = this.house
    const before = this.#state
    this.#state = next
    const wasRunning = runOf(before) !== undefined
    const isRunning = runOf(next) !== undefined
    if (isRunning && !wasRunning) capacity.occupy(this)
    if (wasRunning && !isRunning) capacity.vacate(this)
    this.chronicle.changed(before, next)
    if ('leave' in before) before.leave()
    if (wasRunning && !isRunning) admission.review()
    if (next.phase !== 'asleep') return
    if (this.#isUnwanted) this.#demand = undefined
    this.#onAsleep(this)
  }

  // To start.

  #queue(): void {
    const { admission } = this.house
    const isRetry = this.#state.phase === 'backoff'
    this.#enter({ phase: 'queued', isRetry, leave: () => admission.withdraw(this) })
    this.chronicle.wakeBegan(this.#wakeCause().by)
    admission.join(this)
  }

  #createRun(launched: Promise<Process>, process?: Process): Run {
    const { clock } = this.house
    const run = createRun({
      ...{ clock, launched, process },
      responseTimeoutMs: this.rules.responseTimeoutMs,
      onFirstAnswer: (tookMs) => {
        if (runOf(this.#state) === run) this.chronicle.answeredFirst(tookMs)
      },
      onUnused: () => this.#unused(run),
    })
    void run.ended.then((ending) => this.#ended(run, ending))
    return run
  }

  #starting(run: Run, sinceMs: number): PhaseState {
    return starting(
      this,
      { run, sinceMs },
      { onReady: (durationMs) => this.#becameReady(run, durationMs), onEnd: (end) => this.#stop(run, end) },
    )
  }

  // To be ready.

  #becameReady(run: Run, durationMs: number): void {
    const sinceMs = this.house.clock.nowMs()
    this.chronicle.becameReady(run, durationMs)
    this.#enterReady(run, sinceMs)
    run.noteReady('ready', sinceMs)
    this.#demand?.admitAll(run)
  }

  #enterReady(run: Run, sinceMs: number): void {
    this.#lastUsedMs = this.house.idle.nowMs()
    this.#stayReady(run, sinceMs, true)
  }

  #stayReady(run: Run, sinceMs: number, mayFreeze: boolean): void {
    this.#demand?.lapse()
    this.#enter(ready(this, { run, sinceMs, mayFreeze }, { onEnd: (end) => this.#stop(run, end) }))
    if (mayRest(this)) this.house.idle.watch(this)
  }

  #unused(run: Run): void {
    const state = this.#state
    if (runOf(state) !== run) return
    this.#lastUsedMs = this.house.idle.nowMs()
    if (state.phase === 'draining') this.#stop(run, state.end)
    else this.house.admission.review()
  }

  // To be frozen, and to go on.

  /** The check and the change are one synchronous step, as when it falls asleep; the kernel follows. */
  #freeze(): void {
    const state = this.#state
    if (state.phase !== 'ready' || state.run.active > 0) return
    const { run, sinceMs } = state
    // First: a later server orders again what was noted and not done, and would take for ready what was frozen and not noted.
    run.noteReady('frozen', sinceMs)
    const isHeld = freeze(run)
    this.#enter(frozen(this, { run, sinceMs, isHeld }))
    if (mayRest(this)) this.house.idle.watch(this)
    void isHeld.then((isFrozen) => {
      if (!isFrozen) this.#notFrozen(run)
    })
  }

  #notFrozen(run: Run): void {
    const state = this.#state
    if (state.phase !== 'frozen' || state.run !== run || state.isThawing) return
    this.#stayReady(run, state.sinceMs, false)
    run.noteReady('ready', state.sinceMs)
  }

  #thaw(): void {
    const state = this.#state
    if (state.phase !== 'frozen' || state.isThawing) return
    const { run, sinceMs } = state
    state.leave()
    const onEnd = (end: End): void => this.#stop(run, end)
    this.#state = thawing(this, state, { onAlive: () => this.#thawed(run, sinceMs), onEnd })
  }

  #thawed(run: Run, sinceMs: number): void {
    this.#enterReady(run, sinceMs)
    run.noteReady('ready', sinceMs)
    this.#demand?.admitAll(run)
  }

  // To end.

  /** The check and the change are one synchronous step: a lease is given before it, or finds the instance draining. */
  #sleepBecause(reason: Reason): void {
    const state = this.#state
    const end = orderly(reason)
    // What is frozen is stopped at once; the launcher has it go on first, so that it hears its stop signal.
    if (state.phase === 'frozen' && !state.isThawing) this.#stop(state.run, end)
    if (state.phase !== 'ready' || state.run.active > 0) return
    // One turn of the event loop for a request that has arrived but was not read yet; until the signal is sent it is welcome.
    this.#drain(state, { end, isRevocable: true, ms: 0 })
  }

  #drain(
    { run, sinceMs }: Lasting,
    how: { readonly end: End; readonly isRevocable: boolean; readonly ms: number },
  ): void {
    this.#enter(draining(this, { run, sinceMs, ...how }, { onEnd: (end) => this.#stop(run, end) }))
  }

  #stop(run: Run, end: End): void {
    const { clock, log } = this.house
    const { stopTimeoutMs } = this.rules
    let callOff = nothing
    this.#enter({ phase: 'stopping', run, end, leave: () => callOff() })
    run.unroute()
    run.process?.note({ phase: 'stopping' })
    callOff = endAndWatch({ clock, log, instance: this.key, run, how: end.how, stopTimeoutMs })
  }

  #ended(run: Run, ending: Ending): void {
    const state = this.#state
    if (runOf(state) !== run) return
    run.unroute()
    this.chronicle.ended(state, run, ending)
    const { isCrash, readyForMs, end } = verdictOf(state, run, ending, this.house.clock.nowMs())
    if (end !== undefined) this.#enter({ phase: 'stopping', run, end, leave: nothing })
    if (isCrash && this.bars.rest === undefined) this.#crash(readyForMs)
    else this.rest()
  }

  // To try again.

  #crash(readyForMs: number): void {
    const { clock } = this.house
    const waitMs = this.#noteCrash(readyForMs)
    const { isBreakerOpen } = this.crashes
    const leave = isBreakerOpen ? nothing : clock.setTimer(waitMs, () => this.goOn())
    this.#enter({ phase: 'backoff', untilMs: clock.nowMs() + waitMs, leave })
    if (isBreakerOpen) this.leaveAlone()
    else this.#refuseLate(waitMs)
  }

  /** Returns how long to wait before another try. */
  #noteCrash(readyForMs: number): number {
    this.chronicle.crashed()
    return this.crashes.count(readyForMs, this.chronicle.history.lastStop)
  }

  /** Those stay for whom the next try comes in time; operators want to hear of every failure. */
  #refuseLate(waitMs: number): void {
    const { wakeTimes } = this.chronicle
    const tryAtMs = this.house.clock.nowMs() + waitMs
    this.#demand?.refuseIf(
      ({ isOperator, deadlineMs }) => isOperator || isTooLate(tryAtMs, wakeTimes, deadlineMs),
      () => refusals.startFailed(this.key, waitMs + longMs(wakeTimes)),
    )
  }

  /** What the start that begins now is told to come from. */
  #wakeCause(): WakeCause {
    return this.#demanded().causeOf(this.#state.phase === 'queued' && this.#state.isRetry)
  }
}
