// Random lives: requests, clients that leave, crashes, orders, slow and failing launches, processes that ignore signals, and
// time. After every step the promises that must never be broken are checked, and in the end everything must have come to rest.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TenementError } from '../../../src/errors.ts'
import type { Lease } from '../../../src/router/wake.ts'
import { Harness, nameOf, type Request, settled } from './harness.ts'
import type { ScriptedProcess } from './scriptedProcess.ts'

const instances = ['notes:alice', 'notes:bob', 'pages:stranger'] as const
type Which = (typeof instances)[number]

const rules = {
  startTimeoutMs: 4_000,
  stopTimeoutMs: 1_000,
  drainTimeoutMs: 2_000,
  idleTimeoutMs: 6_000,
  queueMax: 4,
}
const holdTimeoutMs = 5_000

const orders = ['wake', 'stop', 'restart', 'disable', 'enable', 'pause', 'resume'] as const
type Order = (typeof orders)[number]
const isOrder = (text: string): text is Order => orders.some((order) => order === text)

type Step =
  | {
      readonly do:
        | 'request'
        | 'wake'
        | 'stop'
        | 'restart'
        | 'disable'
        | 'enable'
        | 'pause'
        | 'resume'
        | 'listen'
        | 'obey'
        | 'defy'
      readonly whom: Which
    }
  | { readonly do: 'exit'; readonly whom: Which; readonly code: number | null }
  | { readonly do: 'leave' | 'release' | 'turn'; readonly which: number }
  | { readonly do: 'look'; readonly whom: Which }
  | { readonly do: 'launch'; readonly mode: 'now' | 'slow' | 'fail' }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'setClock'; readonly byMs: number }

const whom = fc.constantFrom(...instances)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('request' as const), whom }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('listen' as const), whom }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('exit' as const), whom, code: fc.constantFrom(0, 1, null) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('leave' as const, 'release' as const, 'turn' as const),
      which: fc.nat(20),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('look' as const), whom }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom(...orders, 'obey', 'defy'), whom }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('launch' as const), mode: fc.constantFrom('now', 'slow', 'fail') }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 5, 100, 1_000, 3_000, 10_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('setClock' as const), byMs: fc.constantFrom(-3_600_000, 3_600_000) }),
  },
)

interface Granted {
  readonly whom: Which
  readonly lease: Lease
  readonly process: ScriptedProcess
  isReleased: boolean
}

class Life {
  readonly house: Harness
  readonly maxRunning: number | undefined
  readonly requests: { readonly whom: Which; readonly request: Request; readonly sinceMs: number }[] = []
  readonly granted: Granted[] = []
  /** What came too late: leases on a process that was to get nothing more, stops of one that served. */
  readonly late: string[] = []
  orders = 0
  mode: 'now' | 'slow' | 'fail' = 'now'
  /** Instances that were ever told to end by an operator. */
  readonly ordered = new Set<Which>()
  readonly launches = new Map<string, number>()
  readonly startingSince = new Map<string, { readonly launch: number | undefined; readonly atMs: number }>()

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
    })
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'pass') await this.house.clock.advance(step.ms)
    if (step.do === 'setClock') this.house.clock.setWall(step.byMs)
    if (step.do === 'launch') this.mode = step.mode
    if (step.do === 'turn') this.#turn(this.requests.at(step.which % Math.max(this.requests.length, 1)))
    if (step.do === 'look') this.house.supervisor.onlookers.look(step.whom)
    if (step.do === 'leave') this.requests.at(step.which % Math.max(this.requests.length, 1))?.request.leave()
    if (step.do === 'release') this.#release(this.granted.at(step.which % Math.max(this.granted.length, 1)))
    if (step.do === 'request') this.#request(step.whom)
    if ('whom' in step) this.#affect(step.whom, step)
    await settled()
    this.check()
  }

  check(): void {
    const { house, maxRunning } = this
    for (const instance of instances) {
      expect(house.alive(instance)).toBeLessThanOrEqual(1)
      this.#checkActive(instance)
      this.#checkStart(instance)
    }
    const now = house.clock.nowMs()
    for (const { request, sinceMs } of this.requests)
      if (request.outcome === undefined) expect(now - sinceMs).toBeLessThanOrEqual(holdTimeoutMs)
    expect(this.late).toEqual([])
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
      expect(['asleep', 'paused', 'disabled', 'crashlooped']).toContain(house.phase(instance))
    expect(house.started.filter(({ process }) => process.isAlive)).toEqual([])
    expect(this.requests.filter(({ request }) => request.outcome === undefined)).toEqual([])
    expect(this.orders).toBe(0)
    expect(house.clock.pending).toBe(0)
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
    const request = this.house.request(instance)
    this.requests.push({ whom: instance, request, sinceMs: this.house.clock.nowMs() })
    void request.settled.then((outcome) => {
      if (!('lease' in outcome)) return
      const { lease } = outcome
      if (lease.endpoint.gone.aborted || this.house.process(instance).orders.length > 0) this.late.push(instance)
      this.granted.push({ whom: instance, lease, process: this.house.process(instance), isReleased: false })
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
    if (step.do === 'exit' && process.isAlive)
      process.exit({ code: step.code, signal: step.code === null ? 'SIGSEGV' : null })
  }

  #order(instance: Which, order: Order): void {
    if (!['wake', 'enable', 'resume'].includes(order)) this.ordered.add(instance)
    this.orders += 1
    const done = (): void => {
      this.orders -= 1
    }
    const failed = (thrown: unknown): void => {
      done()
      if (!(thrown instanceof TenementError)) throw thrown
    }
    void this.house.supervisor.operations[order](nameOf(instance)).then(done, failed)
  }

  /** Only an order, and only after its drain_timeout, ends what serves a request. */
  #checkStop(instance: string): void {
    const current = this.granted.findLast(({ whom }) => whom === instance)
    if (current === undefined || this.ordered.has(current.whom)) return
    const isServing = this.granted.some(
      ({ lease, isReleased }) => lease.endpoint === current.lease.endpoint && !isReleased,
    )
    const isCurrent = current.process === this.house.process(instance)
    if (isCurrent && isServing) this.late.push(`${instance} was stopped while it served`)
  }

  #checkActive(instance: Which): void {
    const endpoints = this.granted.filter(
      ({ whom, isReleased, lease }) => whom === instance && !isReleased && !lease.endpoint.gone.aborted,
    )
    const { active, phase } = this.house.status(instance)
    expect(active).toBeGreaterThanOrEqual(0)
    if (phase === 'ready' || phase === 'draining') expect(active).toBe(endpoints.length)
    if (phase === 'asleep') expect(active).toBe(0)
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
