// One instance: which phase it is in and what each event makes of it. The only code that changes a phase.
// A wake belongs to the instance, never to a request: it goes on when all who waited have left, and ends by its own deadline.
// There is no await between looking at the phase and changing it, so what was true when it was looked at still is.
import { formatInstance, type InstanceName } from '../names.ts'
import type { Refusal } from '../refusal.ts'
import type { Gone, Lease, WakeContext, WakeState } from '../router/wake.ts'
import type { Candidate } from './admission.ts'
import type { Occupant } from './capacity.ts'
import { CrashBook } from './crashBook.ts'
import { recoveredMs } from './crashes.ts'
import { endAndWatch } from './endWatch.ts'
import { type EndOfRun, History, type WakeCause } from './history.ts'
import type { House, InstanceOptions, ServiceRules } from './house.ts'
import type { Idler } from './idle.ts'
import { failuresToDie, watchLiveness } from './liveness.ts'
import { fullRetryMs, type Outlook, refusalAtArrival, refusalAtDeadline } from './outlook.ts'
import {
  assertChange,
  type End,
  failedStart,
  isFailedStart,
  isUnused,
  notThawed,
  orderly,
  type PhaseState,
  type Reason,
  runOf,
  unhealthy,
} from './phases.ts'
import type { Adopted, Exit, Process } from './process.ts'
import { refusals } from './refusals.ts'
import { whyOf } from './report.ts'
import { createRun, type Ending, type Run } from './run.ts'
import { formatDuration } from './sentences.ts'
import { watchStart } from './startWatch.ts'
import { thaw } from './thaw.ts'
import { type Waiter, Waiters } from './waiters.ts'
import { wakeStateOf } from './wakeState.ts'
import { expectedMs, longMs, nextWakeTimes, type WakeTimes } from './wakeTime.ts'
import { type Waited, WakeTimer } from './wakeTimer.ts'
import { Wish } from './wish.ts'

/** An instance that was just woken is not stopped for another: two that take turns would do nothing but start. */
const shortestStayMs = 5_000

/** How long one is kept awake that was woken too often, in milliseconds. */
const keptAwakeMs = 600_000

const nothing = (): void => undefined

const notWaited: Waited = { queueMs: 0, wakeMs: 0 }

/** A program that ends by itself, in order and while nobody uses it, has chosen to sleep. */
const isChoice = (run: Run, ending: Ending): boolean =>
  ending.kind === 'exited' && ending.exit.code === 0 && run.active === 0

export class Instance implements Candidate, Occupant, Idler {
  readonly name: InstanceName
  /** 'service:id' */
  readonly key: string
  readonly history = new History()
  readonly #options: InstanceOptions
  readonly #onAsleep: () => void
  readonly #rules: ServiceRules
  readonly #house: House
  /** Only while somebody waits or something is under way: ten thousand sleepers need no queue each. */
  #queueOfWaiters: Waiters | undefined
  readonly #wish: Wish
  readonly #crashes: CrashBook
  #state: PhaseState = { phase: 'asleep' }
  #wakeTimes: WakeTimes | undefined
  /** The last wake, or the one under way. */
  #wake: WakeTimer | undefined
  /** Idle-clock time. */
  #lastUsedMs = 0
  /** Idle-clock time until which it is not idle whatever happens. */
  #keptAwakeUntilMs = 0
  /** Shall start though nobody waits. */
  #isWanted = false
  #isDisabled: boolean
  #isPaused: boolean
  /** What everybody is told while nobody is let in. */
  #closed: (() => Refusal) | undefined

  /** `onAsleep` is called each time it has come to rest with nothing to be done. */
  constructor(options: InstanceOptions, onAsleep: () => void) {
    const { name, rules, house, breaker, isDisabled, isPaused, keepBreaker } = options
    this.#options = options
    this.#onAsleep = onAsleep
    this.#rules = rules
    this.#house = house
    this.name = name
    this.key = formatInstance(name)
    this.#crashes = new CrashBook({ instance: this.key, house, breaker, keepBreaker })
    this.#isDisabled = isDisabled
    this.#isPaused = isPaused
    if (isDisabled) this.#state = { phase: 'disabled' }
    else if (isPaused) this.#state = { phase: 'paused' }
    else if (breaker !== undefined) this.#state = { phase: 'crashlooped' }
    this.#wish = new Wish(house.clock, () => this.#dropIfUnwanted())
  }

  get #waiters(): Waiters {
    const { clock, room, random } = this.#house
    this.#queueOfWaiters ??= new Waiters({
      ...{ clock, room },
      instance: this.key,
      queueMax: this.#rules.queueMax,
      outOfTime: () => refusalAtDeadline(this.#outlook()),
      fullRetryMs: () => fullRetryMs(this.#expectedWakeTimes, random()),
      onLeft: () => this.#dropIfUnwanted(),
    })
    return this.#queueOfWaiters
  }

  get state(): PhaseState {
    return this.#state
  }

  /** Idle-clock time of the end of the last lease, or of becoming ready. */
  get lastUsedMs(): number {
    return this.#lastUsedMs
  }

  get lastWake(): WakeTimer | undefined {
    return this.#wake
  }

  /** How many requests wait for it. */
  get waitingRequests(): number {
    return this.#waiters.clients
  }

  get isDisabled(): boolean {
    return this.#isDisabled
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Milliseconds until a next start may be tried; undefined when nothing is in the way. */
  get nextTryInMs(): number | undefined {
    const state = this.#state
    if (state.phase === 'backoff') return Math.max(state.untilMs - this.#house.clock.nowMs(), 0)
    return state.phase === 'crashlooped' ? this.#crashes.closedForMs : undefined
  }

  get rules(): ServiceRules {
    return this.#rules
  }

  /** How many wait for it, operators included. */
  get waiting(): number {
    return this.#waiters.size
  }

  get crashesInARow(): number {
    return this.#crashes.inARow
  }

  /** Whether nothing of it runs or will, unless somebody asks for it: then it wakes. */
  get isAsleep(): boolean {
    const state = this.#state
    if (this.#barred() !== undefined || this.#isAwaited || this.#isWanted) return false
    if (state.phase === 'draining') return state.isRevocable
    if (state.phase === 'frozen') return !state.isThawing
    return state.phase === 'asleep' || (state.phase === 'stopping' && !state.end.isCrash)
  }

  /** Whether it would be the same if it were forgotten and made anew. */
  get isForgettable(): boolean {
    return this.#state.phase === 'asleep' && this.#closed === undefined && this.#crashes.isForgettable
  }

  // What the outside asks for.

  /** A lease, at once or as soon as it is ready; rejects with a Refusal when that cannot be had before the hold time is over. */
  request(context: WakeContext): Promise<Lease> {
    const { gone } = context
    const leftMs = this.#holdLeftMs(context.arrivedAtMs)
    const left = gone.aborted ? refusals.left(this.key, gone.reason) : undefined
    const isReady = this.#state.phase === 'ready'
    const refusal = left ?? this.#barred() ?? (isReady ? undefined : refusalAtArrival(this.#outlook(), leftMs))
    if (refusal !== undefined) return Promise.reject(refusal)
    this.#revoke()
    if (this.#state.phase === 'ready') return Promise.resolve(this.#leaseNow(this.#state.run))
    return new Promise((resolve, reject) => {
      const sinceMs = this.#house.clock.nowMs()
      const deadlineMs = sinceMs + leftMs
      const admit = (run: Run): void => resolve(this.#lease(run, sinceMs))
      const cause = { by: 'request', request: context.caller } as const
      this.#wait({ deadlineMs, isOperator: false, cause, admit, refuse: reject }, gone)
    })
  }

  /** How far its wake is. Who looks keeps up a wish, and causes nothing else. */
  look(): WakeState {
    this.#wish.renew()
    const { clock, admission } = this.#house
    return wakeStateOf({
      state: this.#state,
      nowMs: clock.nowMs(),
      nextTryInMs: this.nextTryInMs,
      ahead: this.#state.phase === 'queued' ? admission.ahead(this) : undefined,
      isAwaited: this.#isAwaited,
    })
  }

  /** For one who waits and will look on instead: what he waits for is not dropped when he leaves his place. */
  wish(): void {
    const first = this.#waiters.first
    if (first !== undefined) this.#wish.make(first.cause)
  }

  /** Resolves when it is ready, whatever its crashes say about waiting; rejects with a Refusal at the first failed start. */
  wake(): Promise<void> {
    const refusal = this.#barredToOperators()
    if (refusal !== undefined) return Promise.reject(refusal)
    this.#revoke()
    if (this.#state.phase !== 'ready') return this.#waitAsOperator('wake')
    this.#house.admission.review()
    return Promise.resolve()
  }

  /** Like `wake`, with a new process and its crashes forgiven; requests wait for it meanwhile. */
  restart(): Promise<void> {
    const refusal = this.#barredToOperators()
    if (refusal !== undefined) return Promise.reject(refusal)
    this.#crashes.forgive()
    // Looked at first: one that sleeps may be started by the very next line, and that start is not to be ended.
    const hasRun = runOf(this.#state) !== undefined
    const woken = this.#waitAsOperator('restart')
    if (hasRun) void this.#windDown('restarted by an operator', this.#rules.drainTimeoutMs)
    return woken
  }

  /** Starts it when its turn comes, though nobody waits. */
  want(): void {
    if (this.#state.phase !== 'asleep' || this.#closed !== undefined) return
    this.#isWanted = true
    this.#queue()
  }

  /** Resolves when nothing of it runs. A request that comes from now on wakes it again. */
  stop(why: string): Promise<void> {
    return this.#endFor(() => refusals.stopped(this.key), why, this.#rules.drainTimeoutMs)
  }

  /** Resolves when nothing of it runs; nothing will until `enable`. */
  disable(): Promise<void> {
    this.#isDisabled = true
    return this.#endFor(() => refusals.disabled(this.key), 'disabled by an operator', this.#rules.drainTimeoutMs)
  }

  /** Resolves when nothing of it runs, nor will until `resume`. Requests go on waiting for their time, and are refused then. */
  pause(): Promise<void> {
    this.#isPaused = true
    this.#isWanted = false
    this.#waiters.refuseIf(
      ({ isOperator }) => isOperator,
      () => refusals.paused(this.key),
    )
    return this.#windDown('paused by an operator', this.#rules.drainTimeoutMs)
  }

  /** Its crashes still count: a pause is no repair. */
  resume(): void {
    this.#isPaused = false
    if (this.#state.phase !== 'paused') return
    this.#isWanted = this.#isAlwaysOn
    const mayTry = !this.#crashes.isBreakerOpen || (this.#crashes.closedForMs === 0 && this.#isAwaited)
    if (mayTry || this.#isDisabled) this.#rest()
    else this.#giveUpTrying()
  }

  /** Also forgives its crashes. */
  enable(): void {
    this.#isDisabled = false
    this.#crashes.forgive()
    const { phase } = this.#state
    if (phase === 'disabled' || phase === 'crashlooped' || phase === 'backoff') this.#rest()
  }

  /** Lets nobody in until `reopen`. Resolves when nothing of it runs; requests in progress get `drainMs` at most. */
  close(refusal: () => Refusal, why: string, drainMs = this.#rules.drainTimeoutMs): Promise<void> {
    this.#closed = refusal
    return this.#endFor(refusal, why, drainMs)
  }

  reopen(): void {
    this.#closed = undefined
  }

  /** Takes over a process that an earlier server started, in the phase it is in. Only for an instance that has none. */
  adopt({ process, note }: Omit<Adopted, 'name'>): void {
    const { clock } = this.#house
    const agoMs = (atMs: number): number => Math.max(clock.wallMs() - atMs, 0)
    const run = this.#createRun(Promise.resolve(process), process)
    this.history.started({ by: 'takeover' }, process.startedAtMs)
    this.#wake = undefined
    this.#set(this.#starting(run, agoMs(process.startedAtMs)))
    if (note.phase === 'stopping')
      this.#stop(run, orderly({ why: 'stopped before tenement was restarted', cause: 'earlier' }))
    const wasReady = note.phase === 'ready' || note.phase === 'frozen'
    if (wasReady) this.#enterReady(run, clock.nowMs() - agoMs(note.readyAtMs ?? clock.wallMs()))
    // Ordered once more: the note may have been kept and the order not.
    if (note.phase === 'frozen') this.#freeze()
    if (this.#isDisabled) void this.disable()
    else if (this.#isPaused) void this.pause()
  }

  /** Counts an end that no server saw. Only for an instance without a process. */
  endedUnseen(exit: Exit): void {
    const nowMs = this.#house.clock.wallMs()
    const isOrderly = exit.code === 0
    const ordered = { why: 'ended while no tenement was running', cause: isOrderly ? 'chosen' : 'crash' } as const
    this.history.ended({ kind: 'exited', exit }, { startedAtMs: nowMs, nowMs, isChoice: isOrderly, ordered })
    if (isOrderly) return
    this.#noteCrash(0)
    if (this.#crashes.isBreakerOpen && this.#state.phase === 'asleep') this.#set({ phase: 'crashlooped' })
  }

  // What admission, capacity and the idle watch ask for.

  get serviceName(): string {
    return this.name.service
  }

  get mayEvict(): boolean {
    return this.#isAwaited
  }

  start(): void {
    this.history.started(this.#wakeCause(), this.#house.clock.wallMs())
    this.#countWake()
    const run = this.#createRun(this.#options.launch())
    const wake = this.#wake
    wake?.started()
    // A launch that failed ends the run, which tells.
    run.launched.then(
      () => wake?.spawned(),
      () => undefined,
    )
    this.#enter(this.#starting(run, 0))
  }

  giveUp(): void {
    this.#house.log.warn({ instance: this.key }, 'not started: as many instances run as may run at once')
    this.#isWanted = false
    this.#rest()
  }

  get isLeaving(): boolean {
    return this.#state.phase === 'draining' || this.#state.phase === 'stopping'
  }

  get evictableFromMs(): number | undefined {
    const state = this.#state
    return isUnused(state) ? state.sinceMs + shortestStayMs : undefined
  }

  evict(forWhom: string): void {
    this.#house.report({ kind: 'evicted', name: this.name })
    this.#sleepBecause({ why: `stopped to make room for ${forWhom}`, cause: 'evicted', evictedFor: forWhom })
  }

  idleAtMs(nowMs: number): number {
    const { idleTimeoutMs = Number.POSITIVE_INFINITY, freezeAfterMs } = this.#rules
    const patienceMs = this.isToFreeze && freezeAfterMs !== undefined ? freezeAfterMs : idleTimeoutMs
    const idleMs = (isUnused(this.#state) ? this.#lastUsedMs : nowMs) + Math.max(patienceMs, 1)
    return Math.max(idleMs, this.#keptAwakeUntilMs)
  }

  sleep(): void {
    const why = `idle for ${formatDuration(this.#rules.idleTimeoutMs ?? 0)}`
    if (this.isToFreeze) this.#freeze()
    else this.#sleepBecause({ why, cause: 'idle' })
  }

  /** Whether its next rest is to be frozen rather than to sleep. */
  get isToFreeze(): boolean {
    const { idleTimeoutMs = Number.POSITIVE_INFINITY, freezeAfterMs = Number.POSITIVE_INFINITY } = this.#rules
    return this.#state.phase === 'ready' && this.#state.mayFreeze && freezeAfterMs < idleTimeoutMs
  }

  // Changes of phase.

  #enter(next: PhaseState): void {
    assertChange(this.key, this.#state.phase, next.phase)
    this.#set(next)
  }

  /** What the phase left holds is let go after the change: whoever is called by that must already see the new phase. */
  #set(next: PhaseState): void {
    const { capacity, admission, clock } = this.#house
    const before = this.#state
    this.#state = next
    this.history.sinceMs = clock.wallMs()
    const wasRunning = runOf(before) !== undefined
    const isRunning = runOf(next) !== undefined
    if (isRunning && !wasRunning) capacity.occupy(this)
    if (wasRunning && !isRunning) capacity.vacate(this)
    this.#tellChange(before, next)
    if ('leave' in before) before.leave()
    if (wasRunning && !isRunning) admission.review()
    if (next.phase !== 'asleep') return
    if (this.#waiters.size === 0) this.#queueOfWaiters = undefined
    this.#onAsleep()
  }

  #tellChange(before: PhaseState, next: PhaseState): void {
    const { clock, report } = this.#house
    const wake = this.#wake
    report({
      kind: 'phase',
      name: this.name,
      before: before.phase,
      phase: next.phase,
      why: whyOf(before, next, this.history.lastStop),
      atMs: clock.wallMs(),
      pid: (runOf(next) ?? runOf(before))?.process?.pid,
      isFailing: 'end' in next && next.end.isCrash,
      wake: wake && { cause: wake.cause, steps: wake.steps },
    })
  }

  #queue(): void {
    const { admission, clock } = this.#house
    const isRetry = this.#state.phase === 'backoff'
    this.#enter({ phase: 'queued', isRetry, leave: () => admission.withdraw(this) })
    this.#wake = new WakeTimer(clock, this.#wakeCause().by)
    admission.join(this)
  }

  /** Where an instance goes of which nothing runs. */
  #rest(): void {
    if (this.#isDisabled) this.#enter({ phase: 'disabled' })
    else if (this.#isPaused) this.#enter({ phase: 'paused' })
    else if (this.#isAwaited || this.#isWanted) this.#queue()
    else this.#enter({ phase: 'asleep' })
  }

  #createRun(launched: Promise<Process>, process?: Process): Run {
    const { responseTimeoutMs } = this.#rules
    const onUnused = (): void => this.#unused(run)
    const found = process === undefined ? {} : { process }
    const run = createRun({
      launched,
      responseTimeoutMs,
      nowMs: () => this.#house.clock.nowMs(),
      onFirstAnswer: (tookMs) => this.#firstAnswer(run, tookMs),
      onUnused,
      ...found,
    })
    void run.ended.then((ending) => this.#ended(run, ending))
    return run
  }

  #starting(run: Run, alreadyMs: number): PhaseState {
    const { clock, admission } = this.#house
    const { ready, startTimeoutMs: timeoutMs } = this.#rules
    const sinceMs = clock.nowMs() - alreadyMs
    const callOff = watchStart({
      clock,
      run,
      ready,
      timeoutMs,
      leftMs: timeoutMs - alreadyMs,
      onReady: () => this.#becameReady(run, clock.nowMs() - sinceMs),
      onFailed: (why) => this.#stop(run, failedStart(why)),
    })
    const leave = (): void => {
      callOff()
      admission.finish(this)
    }
    return { phase: 'starting', run, sinceMs, leave }
  }

  #becameReady(run: Run, durationMs: number): void {
    const { clock, log } = this.#house
    this.#rememberWake(durationMs)
    this.#wake?.becameReady()
    this.#enterReady(run, clock.nowMs())
    this.#noteReady(run, 'ready', clock.nowMs())
    log.info({ instance: this.key, pid: run.process?.pid, durationMs: Math.round(durationMs) }, 'became ready')
    this.#waiters.admitAll(run)
  }

  /** Many short stays cost more than one long one; whose doing they are is for a person to find out. */
  #countWake(): void {
    const { clock, idle, log, wakeBook } = this.#house
    const { wakesMax, flapGuard } = this.#rules
    if (!wakeBook.note(this.key, clock.nowMs(), wakesMax)) return
    if (flapGuard) this.#keptAwakeUntilMs = idle.nowMs() + keptAwakeMs
    const keptAwakeForMs = flapGuard ? keptAwakeMs : undefined
    log.warn({ instance: this.key, wakesMax, keptAwakeForMs }, 'was woken too often within a minute')
  }

  #rememberWake(durationMs: number): void {
    const { wakeTimes } = this.#house
    this.#wakeTimes = nextWakeTimes(this.#wakeTimes, durationMs)
    wakeTimes.set(this.serviceName, nextWakeTimes(wakeTimes.get(this.serviceName), durationMs))
  }

  #enterReady(run: Run, sinceMs: number): void {
    this.#lastUsedMs = this.#house.idle.nowMs()
    this.#stayReady(run, sinceMs, true)
  }

  #stayReady(run: Run, sinceMs: number, mayFreeze: boolean): void {
    const { idle } = this.#house
    const recovery = this.#crashes.isBreakerOpen ? this.#watchRecovery(sinceMs) : nothing
    const liveness = this.#watchLiveness(run, sinceMs)
    const leave = (): void => {
      recovery()
      liveness()
      idle.unwatch(this)
    }
    this.#isWanted = false
    this.#wish.end()
    this.#enter({ phase: 'ready', run, sinceMs, mayFreeze, leave })
    if (this.#mayRest) idle.watch(this)
  }

  get #mayRest(): boolean {
    return this.#rules.idleTimeoutMs !== undefined || this.isToFreeze
  }

  #watchLiveness(run: Run, sinceMs: number): () => void {
    const { clock, random } = this.#house
    const { liveness: path, livenessStrict: isStrict } = this.#rules
    const { process, receivedBytes } = run
    if (path === undefined || process === undefined) return nothing
    const why = `did not answer "${path}" ${failuresToDie} times in a row`
    const onDead = (): void => this.#stop(run, unhealthy(why, clock.nowMs() - sinceMs))
    return watchLiveness({ clock, process, path, isStrict, random, receivedBytes, onDead })
  }

  /** When it became ready is kept with its process for a later server, in wall time. */
  #noteReady(run: Run, phase: 'ready' | 'frozen', sinceMs: number): void {
    const { clock } = this.#house
    run.process?.note({ phase, readyAtMs: clock.wallMs() - (clock.nowMs() - sinceMs) })
  }

  /** The check and the change are one synchronous step, as when it falls asleep; the kernel follows. */
  #freeze(): void {
    const state = this.#state
    const { idle, log } = this.#house
    if (state.phase !== 'ready' || state.run.active > 0) return
    const { run, sinceMs } = state
    this.#enter({ phase: 'frozen', run, sinceMs, isThawing: false, leave: () => idle.unwatch(this) })
    if (this.#mayRest) idle.watch(this)
    log.info({ instance: this.key, pid: run.process?.pid }, 'frozen')
    void run.process?.setFrozen(true).then((isFrozen) => {
      if (!isFrozen) this.#notFrozen(run)
    })
    this.#noteReady(run, 'frozen', sinceMs)
  }

  #notFrozen(run: Run): void {
    const state = this.#state
    if (state.phase !== 'frozen' || state.run !== run || state.isThawing) return
    this.#house.log.warn({ instance: this.key }, 'cannot be frozen on this machine, and stays ready')
    this.#stayReady(run, state.sinceMs, false)
    this.#noteReady(run, 'ready', state.sinceMs)
  }

  /** Who asked waits until it has shown that it lives, for a second at most: nothing is handed to a process that does not. */
  #thaw(): void {
    const state = this.#state
    if (state.phase !== 'frozen' || state.isThawing) return
    const { run, sinceMs } = state
    state.leave()
    const leave = thaw({
      ...{ clock: this.#house.clock, run, rules: this.#rules },
      onAlive: () => this.#thawed(run, sinceMs),
      onDead: () => this.#stop(run, notThawed),
    })
    this.#state = { phase: 'frozen', run, sinceMs, isThawing: true, leave }
  }

  #thawed(run: Run, sinceMs: number): void {
    this.#enterReady(run, sinceMs)
    this.#noteReady(run, 'ready', sinceMs)
    this.#house.log.info({ instance: this.key, pid: run.process?.pid }, 'thawed')
    this.#waiters.admitAll(run)
  }

  /** Needed only for an open breaker, which is to be closed in the state: else a crash looks back at how long it had been ready. */
  #watchRecovery(readySinceMs: number): () => void {
    const { clock } = this.#house
    return clock.setTimer(Math.max(readySinceMs + recoveredMs - clock.nowMs(), 0), () => this.#crashes.recover())
  }

  /** The check and the change are one synchronous step: a lease is given before it, or finds the instance draining. */
  #sleepBecause(reason: Reason): void {
    const state = this.#state
    const end = orderly(reason)
    // What is frozen is stopped at once; the launcher has it go on first, so that it hears its stop signal.
    if (state.phase === 'frozen' && !state.isThawing) this.#stop(state.run, end)
    if (state.phase !== 'ready' || state.run.active > 0) return
    const { run, sinceMs } = state
    // One turn of the event loop for a request that has arrived but was not read yet; until the signal is sent it is welcome.
    const leave = this.#house.clock.setTimer(0, () => this.#stop(run, end))
    this.#enter({ phase: 'draining', run, sinceMs, isRevocable: true, end, leave })
  }

  #drain(run: Run, sinceMs: number, end: End, drainMs: number): void {
    const leave = this.#house.clock.setTimer(drainMs, () => this.#stop(run, end))
    this.#enter({ phase: 'draining', run, sinceMs, isRevocable: false, end, leave })
    if (run.active === 0 || drainMs === 0) this.#stop(run, end)
  }

  /** A request has come before the stop signal was sent, and nobody ordered an end: all is as if it had come a moment earlier. */
  #revoke(): void {
    const state = this.#state
    if (state.phase !== 'draining' || !state.isRevocable) return
    this.#enterReady(state.run, state.sinceMs)
  }

  #stop(run: Run, end: End): void {
    const { clock, log } = this.#house
    const { stopTimeoutMs } = this.#rules
    const { how } = end
    let callOff = nothing
    this.#enter({ phase: 'stopping', run, end, leave: () => callOff() })
    run.unroute()
    run.process?.note({ phase: 'stopping' })
    callOff = endAndWatch({ clock, log, instance: this.key, run, how, stopTimeoutMs })
  }

  #ended(run: Run, ending: Ending): void {
    const state = this.#state
    if (runOf(state) !== run) return
    run.unroute()
    this.#record(state, run, ending)
    if (state.phase === 'starting') this.#crash(0)
    if (state.phase === 'ready') this.#leftReady(state.sinceMs, run, ending)
    if (state.phase === 'frozen') this.#leftFrozen(state.sinceMs, run, ending)
    if (state.phase === 'draining') this.#enter({ phase: 'stopping', run, end: state.end, leave: nothing })
    if (this.#state.phase !== 'stopping') return
    const { isCrash, readyForMs } = this.#state.end
    if (isCrash && !this.#isDisabled && !this.#isPaused) this.#crash(readyForMs)
    else this.#rest()
  }

  #leftReady(sinceMs: number, run: Run, ending: Ending): void {
    if (isChoice(run, ending)) this.#enter({ phase: 'asleep' })
    else this.#crash(this.#house.clock.nowMs() - sinceMs)
  }

  /** The same for one that was just thawed, except that somebody may wait. */
  #leftFrozen(sinceMs: number, run: Run, ending: Ending): void {
    const end = orderly({ why: 'ended by itself', cause: 'chosen' })
    if (isChoice(run, ending)) this.#enter({ phase: 'stopping', run, end, leave: nothing })
    else this.#crash(this.#house.clock.nowMs() - sinceMs)
  }

  #record(state: PhaseState, run: Run, ending: Ending): void {
    const { clock, log, report } = this.#house
    const nowMs = clock.wallMs()
    const { code, signal, outOfMemory, refusedForks } = ending.kind === 'exited' ? ending.exit : {}
    // A failed start that ended by itself before it could be killed has the better reason.
    const isOurs = state.phase === 'stopping' && (!isFailedStart(state.end) || signal === 'SIGKILL')
    const end: EndOfRun = {
      startedAtMs: run.process?.startedAtMs ?? nowMs,
      nowMs,
      ordered: isOurs ? state.end : undefined,
      isChoice: (state.phase === 'ready' || state.phase === 'frozen') && isChoice(run, ending),
    }
    this.history.ended(ending, end)
    log.info(
      {
        instance: this.key,
        pid: run.process?.pid,
        code,
        signal,
        outOfMemory,
        refusedForks,
        why: this.history.lastStop,
      },
      'ended',
    )
    report({
      kind: 'end',
      name: this.name,
      phase: state.phase,
      why: this.history.lastStop,
      atMs: nowMs,
      pid: run.process?.pid,
    })
  }

  #crash(readyForMs: number): void {
    const { clock } = this.#house
    const waitMs = this.#noteCrash(readyForMs)
    const { isBreakerOpen } = this.#crashes
    const leave = isBreakerOpen ? nothing : clock.setTimer(waitMs, () => this.#backoffOver())
    this.#enter({ phase: 'backoff', untilMs: clock.nowMs() + waitMs, leave })
    if (isBreakerOpen) this.#giveUpTrying()
    else this.#refuseLate(waitMs)
  }

  /** Returns how long to wait before another try. */
  #noteCrash(readyForMs: number): number {
    this.history.crashed()
    this.#house.report({ kind: 'crashed', name: this.name })
    return this.#crashes.count(readyForMs, this.history.lastStop)
  }

  #giveUpTrying(): void {
    this.#isWanted = false
    this.#wish.end()
    this.#enter({ phase: 'crashlooped' })
    this.#waiters.refuseAll(() => refusals.crashloop(this.key, this.#crashes.closedForMs))
  }

  /** Those stay for whom the next try comes in time; operators want to hear of every failure. */
  #refuseLate(waitMs: number): void {
    const wakeTimes = this.#expectedWakeTimes
    const readyByMs = this.#house.clock.nowMs() + waitMs + expectedMs(wakeTimes)
    const isLate = ({ isOperator, deadlineMs }: Waiter): boolean => isOperator || readyByMs >= deadlineMs
    this.#waiters.refuseIf(isLate, () => refusals.startFailed(this.key, waitMs + longMs(wakeTimes)))
  }

  #backoffOver(): void {
    if (this.#isAlwaysOn) this.#isWanted = true
    this.#rest()
  }

  /** What is started with tenement and never put to sleep is meant to be there, asked for or not. */
  get #isAlwaysOn(): boolean {
    return this.#rules.autostart && this.#rules.idleTimeoutMs === undefined
  }

  #endFor(refusal: () => Refusal, why: string, drainMs: number): Promise<void> {
    this.#isWanted = false
    this.#wish.end()
    this.#waiters.refuseAll(refusal)
    return this.#windDown(why, drainMs)
  }

  /** Ends what runs, and says when nothing does any more. */
  async #windDown(why: string, drainMs: number): Promise<void> {
    const state = this.#state
    const end = orderly({ why, cause: 'operator' })
    if (state.phase === 'starting' || state.phase === 'frozen') this.#stop(state.run, end)
    if (state.phase === 'ready') this.#drain(state.run, state.sinceMs, end, drainMs)
    if (state.phase === 'draining' && (state.isRevocable || drainMs === 0)) this.#stop(state.run, end)
    // The order came while a failed start was being ended: what follows is rest, not another try.
    if (state.phase === 'stopping') this.#state = { ...state, end: { ...state.end, isCrash: false } }
    if (state.phase === 'queued' || state.phase === 'backoff') this.#rest()
    const isHeld = this.#isDisabled || this.#isPaused
    if ((state.phase === 'asleep' || state.phase === 'crashlooped') && isHeld) this.#rest()
    if (state.phase === 'paused' && this.#isDisabled) this.#rest()
    // The instance's own handler of this was there first, so its phase has changed by the time this goes on.
    await runOf(state)?.ended
  }

  // Those who wait.

  #lease(run: Run, sinceMs: number): Lease {
    this.history.requests += 1
    return run.lease(this.#wake?.waitedSince(sinceMs) ?? { queueMs: 0, wakeMs: this.#house.clock.nowMs() - sinceMs })
  }

  #firstAnswer(run: Run, tookMs: number): void {
    // One that was taken over was not woken by this server.
    if (runOf(this.#state) !== run || this.#wake === undefined) return
    this.#wake.answered(tookMs)
    this.#house.report({ kind: 'first answer', name: this.name, tookMs })
  }

  /** A place that was about to be free may not be any more; who waits for it is looked at when this one is in use. */
  #leaseNow(run: Run): Lease {
    this.history.requests += 1
    const lease = run.lease(notWaited)
    if (run.active === 1) this.#house.admission.review()
    return lease
  }

  #unused(run: Run): void {
    const state = this.#state
    if (runOf(state) !== run) return
    this.#lastUsedMs = this.#house.idle.nowMs()
    if (state.phase === 'draining') this.#stop(run, state.end)
    else this.#house.admission.review()
  }

  /** Joins, and sees to it that a wake is under way. */
  #wait(waiter: Waiter, gone?: Gone): void {
    this.#waiters.join(waiter, gone)
    const { phase } = this.#state
    const startsNow = phase === 'asleep' || phase === 'crashlooped' || (phase === 'backoff' && waiter.isOperator)
    if (startsNow) this.#queue()
    if (phase === 'frozen') this.#thaw()
  }

  #waitAsOperator(order: 'wake' | 'restart'): Promise<void> {
    const { drainTimeoutMs, stopTimeoutMs, startTimeoutMs } = this.#rules
    const { clock, holdTimeoutMs } = this.#house
    const deadlineMs = clock.nowMs() + drainTimeoutMs + stopTimeoutMs + startTimeoutMs + holdTimeoutMs
    return new Promise((resolve, reject) => {
      const cause = { by: 'operator', order } as const
      this.#wait({ deadlineMs, isOperator: true, cause, admit: () => resolve(), refuse: reject })
    })
  }

  /** What the start that begins now is told to come from: who has waited longest, or why it is wanted though nobody waits. */
  #wakeCause(): WakeCause {
    const cause = this.#wish.cause ?? this.#waiters.first?.cause
    const isRetry = this.#state.phase === 'queued' && this.#state.isRetry && cause?.by !== 'operator'
    return isRetry ? { by: 'crash', request: cause?.request } : (cause ?? { by: 'autostart' })
  }

  /** The clock that stamped the arrival is the machine's and may have been set since; nobody waits longer than the hold time. */
  #holdLeftMs(arrivedAtMs: number): number {
    const { clock, holdTimeoutMs } = this.#house
    return Math.max(holdTimeoutMs - Math.max(clock.wallMs() - arrivedAtMs, 0), 0)
  }

  /** By somebody in the queue, or by somebody who is shown a page meanwhile. */
  get #isAwaited(): boolean {
    return this.#waiters.size > 0 || this.#wish.isAlive
  }

  #barred(): Refusal | undefined {
    return this.#closed?.() ?? (this.#isDisabled ? refusals.disabled(this.key) : undefined)
  }

  /** An operator is told at once what a request waits for. */
  #barredToOperators(): Refusal | undefined {
    return this.#barred() ?? (this.#isPaused ? refusals.paused(this.key) : undefined)
  }

  get #expectedWakeTimes(): WakeTimes | undefined {
    return this.#wakeTimes ?? this.#house.wakeTimes.get(this.serviceName)
  }

  #outlook(): Outlook {
    const { clock, admission } = this.#house
    const state = this.#state
    const wakeTimes = this.#expectedWakeTimes
    return {
      instance: this.key,
      phase: state.phase,
      nextTryInMs: this.nextTryInMs,
      wakeTimes,
      turnInMs: state.phase === 'queued' ? admission.turnInMs(this, longMs(wakeTimes)) : 0,
      startingForMs: state.phase === 'starting' ? clock.nowMs() - state.sinceMs : 0,
      isPaused: this.#isPaused,
      isFull: admission.isFull(),
    }
  }

  /** Nothing was spent on a wake that has not begun. */
  #dropIfUnwanted(): void {
    if (this.#state.phase === 'queued' && !this.#isAwaited && !this.#isWanted) this.#enter({ phase: 'asleep' })
  }
}
