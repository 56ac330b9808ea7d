// A supervisor on a clock of the test's own, with scripted processes and a real state database.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { formatInstance, type InstanceName, parseInstance } from '../../../src/names.ts'
import { Refusal } from '../../../src/refusal.ts'
import type { Lease, WakeContext } from '../../../src/router/wake.ts'
import { openState, type State } from '../../../src/state/state.ts'
import type { ServiceRules } from '../../../src/supervisor/house.ts'
import type { ProcessNote } from '../../../src/supervisor/process.ts'
import { createSupervisor, type Supervisor, type SupervisorOptions } from '../../../src/supervisor/supervisor.ts'
import { FakeClock, settled } from './fakeClock.ts'
import { Mortal } from './mortal.ts'
import { ScriptedProcess } from './scriptedProcess.ts'

export type Rules = ServiceRules & { readonly open: boolean }

const defaultRules: Rules = {
  name: 'notes',
  ready: { kind: 'tcp' },
  autostart: false,
  open: false,
  queueMax: 100,
  startTimeoutMs: 60_000,
  stopTimeoutMs: 10_000,
  drainTimeoutMs: 30_000,
  idleTimeoutMs: 300_000,
  responseTimeoutMs: 120_000,
  livenessStrict: false,
  freezeAfterMs: undefined,
  wakesMax: 20,
  flapGuard: false,
}

export interface HarnessOptions {
  /** Every process that servers before this one started; the clock and the state are theirs too. */
  readonly started?: Harness['started']
  /** The profile its instances run under; none without it. */
  readonly seccomp?: string
  readonly rules?: Partial<Rules>
  /** Beside "notes". */
  readonly services?: Readonly<Record<string, Partial<Rules>>>
  readonly declared?: Readonly<Record<string, readonly string[]>>
  readonly maxConcurrentWakes?: number
  readonly maxRunning?: number
  readonly holdTimeoutMs?: number
  readonly unrunnable?: ReadonlyMap<string, string>
  readonly clock?: FakeClock
  readonly state?: State
  readonly random?: () => number
  readonly adopted?: SupervisorOptions<Rules>['adopted']
  readonly exits?: SupervisorOptions<Rules>['exits']
  readonly serviceFor?: SupervisorOptions<Rules>['serviceFor']
  /** Called instead of making a process at once. */
  readonly launch?: (name: InstanceName, make: () => ScriptedProcess) => Promise<ScriptedProcess>
  /** Called when a process is told to stop. */
  readonly onStop?: (instance: string) => void
  readonly purge?: (name: InstanceName) => Promise<void>
}

/** What a request came to. */
export type Outcome = { readonly lease: Lease } | { readonly refused: Refusal }

export interface Request {
  /** Undefined while it waits. */
  outcome: Outcome | undefined
  /** The client leaves. */
  leave(): void
  readonly settled: Promise<Outcome>
}

export interface Line {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly instance?: unknown
}

export class Harness {
  readonly clock: FakeClock
  readonly state: State
  readonly supervisor: Supervisor
  /** Every process ever started, oldest first, with the instance it was started for. */
  readonly started: { readonly instance: string; readonly process: ScriptedProcess }[]
  readonly lines: Line[] = []
  readonly purged: string[] = []
  /** Instances of which no traced start is to come any more. */
  readonly untraced: string[] = []
  /** What `random` returns. */
  chance = 0.5
  readonly #options: HarnessOptions
  readonly #life = new Mortal()

  constructor(options: HarnessOptions = {}) {
    const { clock = new FakeClock(), declared = { notes: ['alice', 'bob'] } } = options
    this.#options = options
    this.started = options.started ?? []
    this.clock = clock
    this.state = options.state ?? temporaryState()
    const services = new Map<string, Rules>([['notes', { ...defaultRules, ...options.rules }]])
    for (const [name, rules] of Object.entries(options.services ?? {}))
      services.set(name, { ...defaultRules, ...options.rules, name, ...rules })
    const write = (level: Line['level']) => (fields: Readonly<Record<string, unknown>>, message: string) =>
      void this.lines.push({ ...fields, level, message })
    this.supervisor = createSupervisor<Rules>({
      settings: {
        maxConcurrentWakes: options.maxConcurrentWakes ?? 8,
        ...(options.maxRunning === undefined ? {} : { maxRunning: options.maxRunning }),
        holdTimeoutMs: options.holdTimeoutMs ?? 30_000,
      },
      configFile: '/etc/tenement/tenement.toml',
      services,
      serviceFor: options.serviceFor ?? ((service) => service),
      declared: new Map(Object.entries(declared)),
      startProcess: (name) =>
        this.#life.launched(() =>
          (options.launch ?? (async (_, make) => make()))(name, () => this.#make(name, options.onStop)),
        ),
      tracing: {
        next: (name) => `traced ${formatInstance(name)}`,
        noMore: (name) => void this.untraced.push(formatInstance(name)),
      },
      state: this.#life.withoutWrites(this.state),
      describe: {
        address: ({ service, id }) => `${id}.${service}.example.com`,
        dataDir: ({ id }) => `/data/${id}`,
        logFile: ({ service, id }) => `/log/${service}/${id}.log`,
        isolation: () => 'none',
        seccomp: () => options.seccomp,
        memoryBytes: (_, pid) => pid * 1_024,
      },
      purge: async (name) => {
        await this.#life.alive()
        await options.purge?.(name)
        this.purged.push(formatInstance(name))
      },
      clock: this.#life.clock(clock),
      log: { info: write('info'), warn: write('warn'), error: write('error') },
      random: options.random ?? (() => this.chance),
      ...(options.adopted === undefined ? {} : { adopted: options.adopted }),
      ...(options.exits === undefined ? {} : { exits: options.exits }),
      ...(options.unrunnable === undefined ? {} : { unrunnable: options.unrunnable }),
    })
  }

  /** The newest process of an instance. */
  process(instance = 'notes:alice'): ScriptedProcess {
    const found = this.started.findLast((one) => one.instance === instance)
    if (found === undefined) throw new Error(`${instance} was never started`)
    return found.process
  }

  starts(instance = 'notes:alice'): number {
    return this.started.filter((one) => one.instance === instance).length
  }

  alive(instance = 'notes:alice'): number {
    return this.started.filter((one) => one.instance === instance && one.process.isAlive).length
  }

  status(instance = 'notes:alice') {
    return this.supervisor.operations.status(nameOf(instance))
  }

  phase(instance = 'notes:alice') {
    return this.status(instance).phase
  }

  why(instance = 'notes:alice') {
    return this.supervisor.operations.why(nameOf(instance))
  }

  request(
    instance = 'notes:alice',
    arrivedAtMs = this.clock.wallMs(),
    { caller, countedAs }: Pick<WakeContext, 'caller' | 'countedAs'> = {},
  ): Request {
    const gone = new AbortController()
    const waiting = this.supervisor.wake(instance, {
      gone: gone.signal,
      arrivedAtMs,
      caller,
      countedAs,
    })
    const request: Request = {
      outcome: undefined,
      leave: () => gone.abort(),
      settled: waiting.then(
        (lease): Outcome => ({ lease }),
        (thrown: unknown): Outcome => {
          if (thrown instanceof Refusal) return { refused: thrown }
          throw thrown
        },
      ),
    }
    void request.settled.then((outcome) => {
      request.outcome = outcome
    })
    return request
  }

  /** Wakes an instance through a request and returns the lease. */
  async leased(instance = 'notes:alice'): Promise<Lease> {
    const request = this.request(instance)
    await settled()
    if (request.outcome === undefined) {
      this.process(instance).isListening = true
      await this.clock.advance(100)
    }
    return leaseOf(request)
  }

  /** Wakes an instance and lets it be: ready, with no lease. */
  async ready(instance = 'notes:alice'): Promise<ScriptedProcess> {
    const lease = await this.leased(instance)
    lease.release()
    return this.process(instance)
  }

  /** Has it crash until its breaker opens. */
  async crashUntilLeftAlone(instance = 'notes:alice'): Promise<void> {
    for (let crashes = 0; crashes < 20 && this.phase(instance) !== 'crashlooped'; crashes += 1) {
      this.request(instance)
      await settled()
      this.process(instance).exit({ code: 1 })
      await settled()
      if (this.phase(instance) === 'backoff') await this.clock.advance(10_000)
    }
  }

  /**
   * The server is killed, and another finds what still runs: nothing this one was about to do happens any more. `meanwhile` is
   * called while there is none.
   */
  succeed(meanwhile: () => void = () => undefined): Harness {
    this.#life.end()
    const running = this.started.filter(({ process }) => process.isAlive)
    meanwhile()
    const noteOf = ({ notes }: ScriptedProcess): ProcessNote => notes.at(-1) ?? { phase: 'starting' }
    const survivors = running.filter(({ process }) => process.isAlive)
    const ended = running.filter(({ process }) => !process.isAlive && noteOf(process).phase !== 'stopping')
    return new Harness({
      ...this.#options,
      clock: this.clock,
      state: this.state,
      started: this.started,
      adopted: survivors.map(({ instance, process }) => ({ name: nameOf(instance), process, note: noteOf(process) })),
      exits: ended.map(({ instance, process }) => ({ name: nameOf(instance), exit: process.lastExit })),
    })
  }

  #make(name: InstanceName, onStop: HarnessOptions['onStop']): ScriptedProcess {
    const instance = formatInstance(name)
    const process = new ScriptedProcess(this.started.length + 1, this.clock.wallMs(), () => onStop?.(instance))
    this.started.push({ instance, process })
    return process
  }
}

export const temporaryState = (): State => {
  const directory = mkdtempSync(join(tmpdir(), 'tenement-supervisor-'))
  const state = openState(directory)
  onTestFinished(() => {
    state.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return state
}

export const nameOf = (instance: string): InstanceName => {
  const name = parseInstance(instance)
  if (name === undefined) throw new Error(`${instance} is no instance name`)
  return name
}

export const leaseOf = ({ outcome }: Request): Lease => {
  if (outcome !== undefined && 'lease' in outcome) return outcome.lease
  throw new Error(outcome === undefined ? 'still waiting' : `refused: ${outcome.refused.reason}`)
}

/** The reason a request was refused for, 'waiting' or 'served'. */
export const fateOf = ({ outcome }: Request): string => {
  if (outcome === undefined) return 'waiting'
  return 'lease' in outcome ? 'served' : outcome.refused.reason
}

export { settled }
