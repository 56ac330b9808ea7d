// Random lives: requests, clients that leave, crashes, orders, slow and failing launches, processes that ignore signals, machines
// that cannot freeze, a suspended machine, killed servers, removals, and time. After every step the promises that must never be
// broken are checked (one process, one outcome in time, no lease on what is leaving or frozen, no wake without an end, no data
// removed but by a purge), and in the end everything must have come to rest, with no timer left.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TenementError } from '../../../src/errors.ts'
import type { Lease } from '../../../src/router/wake.ts'
import { Harness, nameOf, type Request, settled } from './harness.ts'
import type { ScriptedProcess } from './scriptedProcess.ts'

const instances = ['notes:alice', 'notes:bob', 'notes:added', 'pages:stranger'] as const
type Which = (typeof instances)[number]
/** The one that comes and goes by command. */
const added = 'notes:added'

const rules = {
  startTimeoutMs: 4_000,
  stopTimeoutMs: 1_000,
  drainTimeoutMs: 2_000,
  freezeAfterMs: 2_000,
  idleTimeoutMs: 6_000,
  queueMax: 4,
}
const holdTimeoutMs = 5_000
/** Beyond this a silence means that nothing could run, so that nobody could use anything. */
const gapMs = 30_000

const orders = ['wake', 'stop', 'restart', 'disable', 'enable', 'pause', 'resume'] as const
type Order = (typeof orders)[number]
const isOrder = (text: string): text is Order => orders.some((order) => order === text)

type Step =
  | {
      readonly do: 'request' | Order | 'listen' | 'obey' | 'defy' | 'canFreeze' | 'cannotFreeze'
      readonly whom: Which
    }
  | { readonly do: 'exit'; readonly whom: Which; readonly code: number | null }
  | { readonly do: 'leave' | 'release' | 'turn'; readonly which: number }
  | { readonly do: 'look'; readonly whom: Which }
  | { readonly do: 'launch'; readonly mode: 'now' | 'slow' | 'fail' }
  | { readonly do: 'pass' | 'suspend'; readonly ms: number }
  | { readonly do: 'setClock'; readonly byMs: number }
  | { readonly do: 'add' | 'remove' | 'purge' }
  /** The server is killed; `dies` ends while there is none. */
  | { readonly do: 'kill'; readonly dies: Which | null }

const one = <const Name extends Step['do']>(...names: readonly Name[]) => fc.constantFrom(...names)
const whom = fc.constantFrom(...instances)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: one('request'), whom }) },
  { weight: 6, arbitrary: fc.record({ do: one('listen'), whom }) },
  { weight: 4, arbitrary: fc.record({ do: one('exit'), whom, code: fc.constantFrom(0, 1, null) }) },
  { weight: 6, arbitrary: fc.record({ do: one('leave', 'release', 'turn'), which: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ do: one('look'), whom }) },
  { weight: 5, arbitrary: fc.record({ do: one(...orders, 'obey', 'defy'), whom }) },
  { weight: 1, arbitrary: fc.record({ do: one('canFreeze', 'cannotFreeze'), whom }) },
  { weight: 2, arbitrary: fc.record({ do: one('launch'), mode: fc.constantFrom('now', 'slow', 'fail') }) },
  { weight: 8, arbitrary: fc.record({ do: one('pass'), ms: fc.constantFrom(0, 5, 100, 1_000, 3_000, 10_000) }) },
  { weight: 2, arbitrary: fc.record({ do: one('suspend'), ms: fc.constantFrom(100, 5_000, 31_000, 3_600_000) }) },
  { weight: 1, arbitrary: fc.record({ do: one('setClock'), byMs: fc.constantFrom(-3_600_000, 3_600_000) }) },
  { weight: 2, arbitrary: fc.record({ do: one('add', 'remove', 'purge') }) },
  { weight: 1, arbitrary: fc.record({ do: one('kill'), dies: fc.constantFrom(null, ...instances) }) },
)

interface Granted {
  readonly whom: Which
  readonly lease: Lease
  readonly process: ScriptedProcess
  isReleased: boolean
}

class Life {
  house: Harness
  readonly maxRunning: number | undefined
  requests: { readonly whom: Which; readonly request: Request; readonly sinceMs: number }[] = []
  granted: Granted[] = []
  /** What must not have happened, and did. */
  readonly wrong: string[] = []
  /** Orders under way, of this server. */
  orders = new Set<Promise<unknown>>()
  mode: 'now' | 'slow' | 'fail' = 'now'
  /** Instances that an operator told to end, until nothing of them runs. */
  readonly ordered = new Set<Which>()
  readonly launches = new Map<string, number>()
  readonly startingSince = new Map<string, { readonly launch: number | undefined; readonly atMs: number }>()
  /** Time in which the machine ran, at which each was last seen to be in use. */
  readonly usedAtMs = new Map<string, number>()
  /** How many times data was to be removed. */
  purges = 0
  #suspendedMs = 0

  constructor(maxConcurrentWakes: number, maxRunning: number | undefined) {
    this.maxRunning = maxRunning
    this.house = new Harness({
      rules,
      services: { pages: { open: true } },
      maxConcurrentWakes,
      holdTimeoutMs,
      ...(maxRunning === undefined ? {} : { maxRunning }),
      launch: ({ service, id }, make) => this.#launch(`${service}:${id}`, make),
      onStop: (instance) => this.#checkStop(instance),
      purge: async (name) => this.#checkPurge(`${name.service}:${name.id}`),
    })
    this.#comeOrGo('add')
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'pass') await this.house.clock.advance(step.ms)
    if (step.do === 'suspend') await this.#suspend(step.ms)
    if (step.do === 'setClock') this.house.clock.setWall(step.byMs)
    if (step.do === 'launch') this.mode = step.mode
    if (step.do === 'turn') this.#turn(this.requests.at(step.which % Math.max(this.requests.length, 1)))
    if (step.do === 'look') this.house.supervisor.onlookers.look(step.whom)
    if (step.do === 'leave') this.requests.at(step.which % Math.max(this.requests.length, 1))?.request.leave()
    if (step.do === 'release') this.#release(this.granted.at(step.which % Math.max(this.granted.length, 1)))
    if (step.do === 'request') this.#request(step.whom)
    if (step.do === 'add' || step.do === 'remove' || step.do === 'purge') this.#comeOrGo(step.do)
    if (step.do === 'kill') this.#kill(step.dies)
    if ('whom' in step) this.#affect(step.whom, step)
    await settled()
    this.check()
  }

  check(): void {
    const { house, maxRunning } = this
    for (const instance of instances) {
      expect(house.alive(instance)).toBeLessThanOrEqual(1)
      if (!this.#isThere(instance)) continue
      this.#checkActive(instance)
      this.#checkStart(instance)
      this.#checkFrozen(instance)
      if (this.orders.size === 0 && this.house.alive(instance) === 0) this.ordered.delete(instance)
      if (this.#isInUse(instance)) this.usedAtMs.set(instance, this.#awakeMs)
    }
    const now = house.clock.nowMs()
    for (const { request, sinceMs } of this.requests)
      if (request.outcome === undefined) expect(now - sinceMs).toBeLessThanOrEqual(holdTimeoutMs)
    expect(this.wrong).toEqual([])
    expect(house.purged.length).toBeLessThanOrEqual(this.purges)
    if (maxRunning !== undefined)
      expect(house.started.filter(({ process }) => process.isAlive).length).toBeLessThanOrEqual(maxRunning)
  }

  /** Everybody leaves, every process obeys, and time passes. */
  async end(): Promise<void> {
    const { house } = this
    for (const { request } of this.requests) request.leave()
    for (const granted of this.granted) this.#release(granted)
    for (const { process } of house.started) {
      process.obeys = true
      if (process.orders.length > 0) process.exit({ signal: 'SIGTERM', code: null })
    }
    await house.clock.advance(60_000)
    this.check()
    for (const instance of instances)
      if (this.#isThere(instance))
        expect(['asleep', 'paused', 'disabled', 'crashlooped']).toContain(house.phase(instance))
    expect(house.started.filter(({ process }) => process.isAlive)).toEqual([])
    expect(this.requests.filter(({ request }) => request.outcome === undefined)).toEqual([])
    expect(this.orders.size).toBe(0)
    expect(house.clock.pending).toBe(0)
  }

  get #awakeMs(): number {
    return this.house.clock.nowMs() - this.#suspendedMs
  }

  #isThere(instance: Which): boolean {
    return instance !== added || this.house.supervisor.isKnown('notes', 'added')
  }

  #isInUse(instance: Which): boolean {
    const { phase, active } = this.house.status(instance)
    return active > 0 || (phase !== 'ready' && phase !== 'frozen')
  }

  /** Nothing runs, and then everything at once whose time is over. */
  async #suspend(ms: number): Promise<void> {
    this.house.clock.suspend(ms)
    if (ms > gapMs) this.#suspendedMs += ms
    await this.house.clock.advance(0)
  }

  /** Connections go with the server, and so does what they waited for. */
  #kill(dies: Which | null): void {
    this.requests = []
    for (const granted of this.granted) granted.isReleased = true
    this.granted = []
    this.orders = new Set()
    this.startingSince.clear()
    this.house = this.house.succeed(() => {
      if (dies !== null && this.house.alive(dies) > 0) this.house.process(dies).exit({ code: 1 })
    })
    for (const instance of instances) this.usedAtMs.set(instance, this.#awakeMs)
  }

  #comeOrGo(step: 'add' | 'remove' | 'purge'): void {
    const { operations } = this.house.supervisor
    const name = nameOf(added)
    const isPurged = step === 'purge'
    if (isPurged) this.purges += 1
    if (step !== 'add') this.ordered.add(added)
    this.#await(step === 'add' ? operations.add(name) : operations.remove(name, { purge: isPurged }))
  }

  #launch(instance: string, make: () => ScriptedProcess): Promise<ScriptedProcess> {
    this.launches.set(instance, (this.launches.get(instance) ?? 0) + 1)
    if (this.mode === 'fail') return Promise.reject(new Error('no such program'))
    if (this.mode === 'now') return Promise.resolve(make())
    return new Promise((resolve) => {
      this.house.clock.setTimer(1_500, () => resolve(make()))
    })
  }

  #request(instance: Which): void {
    const { house } = this
    const request = house.request(instance)
    this.requests.push({ whom: instance, request, sinceMs: house.clock.nowMs() })
    void request.settled.then((outcome) => {
      if (!('lease' in outcome) || house !== this.house) return
      const { lease } = outcome
      const process = house.process(instance)
      if (lease.endpoint.gone.aborted || process.orders.length > 0 || process.isFrozen)
        this.wrong.push(`a lease on ${instance}, which is leaving or frozen`)
      this.granted.push({ whom: instance, lease, process, isReleased: false })
    })
  }

  /** A browser is shown a page: it goes on wanting, and does not wait any longer. */
  #turn(turned: { readonly whom: Which; readonly request: Request } | undefined): void {
    if (turned?.request.outcome !== undefined) return
    if (turned !== undefined) this.house.supervisor.onlookers.wish(turned.whom)
    turned?.request.leave()
  }

  #release(granted: Granted | undefined): void {
    if (granted === undefined) return
    granted.isReleased = true
    granted.lease.release()
  }

  #affect(instance: Which, step: Step): void {
    if (isOrder(step.do)) this.#order(instance, step.do)
    if (this.house.starts(instance) === 0) return
    const process = this.house.process(instance)
    if (step.do === 'listen') process.isListening = process.isAlive
    if (step.do === 'obey') process.obeys = true
    if (step.do === 'defy') process.obeys = false
    if (step.do === 'canFreeze') process.canFreeze = true
    if (step.do === 'cannotFreeze') process.canFreeze = false
    if (step.do === 'exit' && process.isAlive)
      process.exit({ code: step.code, signal: step.code === null ? 'SIGSEGV' : null })
  }

  #order(instance: Which, order: Order): void {
    if (!['wake', 'enable', 'resume'].includes(order)) this.ordered.add(instance)
    this.#await(this.house.supervisor.operations[order](nameOf(instance)))
  }

  /** Every order comes to an end, with an error of tenement's at worst. */
  #await(order: Promise<unknown>): void {
    const { orders } = this
    orders.add(order)
    const done = (): boolean => orders.delete(order)
    void order.then(done, (thrown: unknown) => {
      done()
      if (!(thrown instanceof TenementError)) throw thrown
    })
  }

  /** Only an order, and only after its drain_timeout, ends what serves a request; and nothing else but idleness or want of room what does not. */
  #checkStop(instance: string): void {
    const current = this.granted.findLast(({ whom }) => whom === instance)
    const isRouted = ({ process, lease }: Granted): boolean =>
      process === this.house.process(instance) && !lease.endpoint.gone.aborted
    if (this.granted.some(isRouted)) this.wrong.push(`${instance} was told to end, and may still get requests`)
    // A server that was killed had told it before; this one says it once more.
    if (this.house.process(instance).orders.length > 1) return
    if (instances.some((each) => each === instance && this.ordered.has(each))) return
    const isServing = this.granted.some(
      ({ lease, isReleased }) => lease.endpoint === current?.lease.endpoint && !isReleased,
    )
    const isCurrent = current?.process === this.house.process(instance)
    if (isCurrent && isServing) this.wrong.push(`${instance} was stopped while it served`)
    const unusedMs = this.#awakeMs - (this.usedAtMs.get(instance) ?? Number.NEGATIVE_INFINITY)
    if (this.maxRunning === undefined && unusedMs < rules.idleTimeoutMs)
      this.wrong.push(`${instance} was stopped as idle after ${unusedMs} ms`)
  }

  /** What is gone for good was to go, and nothing wrote to it any more. */
  #checkPurge(instance: string): void {
    if (instance !== added) this.wrong.push(`the data of ${instance} was removed`)
    if (this.house.alive(instance) > 0) this.wrong.push(`the data of ${instance} was removed while it ran`)
  }

  #checkActive(instance: Which): void {
    const endpoints = this.granted.filter(
      ({ whom, isReleased, lease }) => whom === instance && !isReleased && !lease.endpoint.gone.aborted,
    )
    const { active, phase } = this.house.status(instance)
    expect(active).toBeGreaterThanOrEqual(0)
    if (phase === 'ready' || phase === 'draining') expect(active).toBe(endpoints.length)
    if (phase === 'asleep' || phase === 'frozen') expect(active).toBe(0)
  }

  /** Only in its own phase is anything held still. */
  #checkFrozen(instance: Which): void {
    if (this.house.alive(instance) === 0) return
    const { isFrozen, canFreeze } = this.house.process(instance)
    const { phase } = this.house.status(instance)
    if (isFrozen && canFreeze) expect(phase).toBe('frozen')
  }

  /** A start ends by its deadline, whatever becomes of it. */
  #checkStart(instance: Which): void {
    if (this.house.phase(instance) !== 'starting') {
      this.startingSince.delete(instance)
      return
    }
    const launch = this.launches.get(instance)
    const known = this.startingSince.get(instance)
    if (known === undefined || known.launch !== launch)
      this.startingSince.set(instance, { launch, atMs: this.house.clock.nowMs() })
    else expect(this.house.clock.nowMs() - known.atMs).toBeLessThanOrEqual(rules.startTimeoutMs)
  }
}

test('whatever happens: one process per instance, one outcome per request in time, nothing for an instance that is leaving, and rest in the end', async () => {
  const houses = fc.record({ wakes: fc.integer({ min: 1, max: 2 }), maxRunning: fc.constantFrom(undefined, 1, 2) })
  await fc.assert(
    fc.asyncProperty(
      houses,
      fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }),
      async ({ wakes, maxRunning }, steps) => {
        const life = new Life(wakes, maxRunning)
        for (const one of steps) await life.take(one)
        await life.end()
      },
    ),
    { numRuns: Number(process.env.MODEL_RUNS ?? 60) },
  )
}, 600_000)
