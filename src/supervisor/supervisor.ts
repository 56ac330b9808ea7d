// The supervisor: who is awake. It wakes instances for those who ask, ends those nobody uses, and answers operators.
// Here its parts are put together; what an instance does is in instance.ts, who may start in admission.ts, who exists in
// roster.ts, what operators see and order in operators/. It does not know how a process is started or confined.
import type { Service, Settings } from '../config/schema.ts'
import type { Operations } from '../control/operations.ts'
import { formatInstance, type InstanceName, parseInstance } from '../names.ts'
import type { Refusal } from '../refusal.ts'
import type { Onlookers, Wake } from '../router/wake.ts'
import type { State } from '../state/state.ts'
import { createAdmission } from './admission.ts'
import { createCapacity } from './capacity.ts'
import { type Census, takeCensus } from './census.ts'
import type { Clock } from './clock.ts'
import { createFleet, type Fleet, instanceNamed } from './fleet.ts'
import type { House, ServiceRules } from './house.ts'
import { createIdleWatch } from './idle.ts'
import type { Log } from './log.ts'
import { createOperations } from './operators/operate.ts'
import { orders } from './operators/orders.ts'
import type { Describe } from './operators/status.ts'
import type { Tracing } from './operators/traceStart.ts'
import { createViews } from './operators/views.ts'
import type { Process } from './process.ts'
import { refusals } from './refusals.ts'
import { createRemembered } from './remembered.ts'
import type { Report } from './report.ts'
import { look, request } from './requests.ts'
import { Roster } from './roster.ts'
import { isAsleep } from './standing.ts'
import { createStrays } from './strays.ts'
import { type Left, takeOver } from './takeover.ts'
import { WaitingRoom } from './waitingRoom.ts'
import { WakeBook } from './wakeBook.ts'

export interface SupervisorOptions<Rules extends ServiceRules & Pick<Service, 'open'>> {
  readonly settings: Pick<Settings, 'maxConcurrentWakes' | 'maxRunning' | 'holdTimeoutMs'>
  /** The config file, as its user knows it: named in errors. */
  readonly configFile: string
  readonly services: ReadonlyMap<string, Rules>
  /** A service with what differs for one tenant. */
  serviceFor(service: Rules, id: string): Rules
  /** Declared ids by service name. */
  readonly declared: ReadonlyMap<string, readonly string[]>
  /** Services that cannot run on this machine, by name, each with the reason: their requests are refused, the others run. */
  readonly unrunnable?: ReadonlyMap<string, string>
  startProcess(name: InstanceName, service: Rules): Promise<Process>
  readonly tracing: Tracing
  readonly state: State
  readonly describe: Describe
  /** Removes an instance's data for good. */
  purge(name: InstanceName): Promise<void>
  /** Processes an earlier server started that still run. */
  readonly adopted?: Left['adopted']
  /** Ends of processes that no server saw. */
  readonly exits?: Left['exits']
  readonly clock: Clock
  readonly log: Log
  readonly report?: Report
  /** From 0 to 1. */
  random(): number
}

export interface Supervisor {
  readonly wake: Wake
  readonly onlookers: Onlookers
  readonly operations: Operations
  /** Whether an instance of this name exists or may come to be by a request. */
  isKnown(service: string, id: string): boolean
  /** Whether nothing of the instance 'service:id' runs or is about to, and a request would wake it. */
  isAsleep(key: string): boolean
  /** Whether a request for the instance 'service:id' would have it at once. */
  isReady(key: string): boolean
  /** Who is in which phase, by service. */
  census(): ReadonlyMap<string, Census>
  /** Starts, in turn, what shall run without being asked for. */
  autostart(): void
  /** Refuses what comes from now on and ends every instance at once; resolves when nothing runs any more. */
  shutdown(): Promise<void>
}

export const createSupervisor = <Rules extends ServiceRules & Pick<Service, 'open'>>(
  options: SupervisorOptions<Rules>,
): Supervisor => {
  const { settings, services, state, describe, clock, log, unrunnable = new Map<string, string>() } = options
  const capacity = createCapacity(settings.maxRunning)
  const remembered = createRemembered(state, log)
  const strays = createStrays(log)
  let isShuttingDown = false
  const house: House = {
    clock,
    log,
    capacity,
    admission: createAdmission(clock, settings.maxConcurrentWakes, capacity),
    idle: createIdleWatch(clock),
    room: new WaitingRoom(),
    wakeBook: new WakeBook(),
    wakeTimes: new Map(),
    holdTimeoutMs: settings.holdTimeoutMs,
    report: options.report ?? (() => undefined),
    launch: async (name) => {
      await strays.gone(formatInstance(name))
      const service = services.get(name.service)
      if (isShuttingDown || service === undefined) throw new Error('tenement is shutting down')
      return options.startProcess(name, options.serviceFor(service, name.id))
    },
    keepBreaker: remembered.keepBreaker,
    random: options.random,
  }
  const isOpen = new Map([...services].map(([name, { open }]) => [name, open]))
  const roster = new Roster({ isOpen, declared: options.declared, added: state.addedInstances() })

  const fleet: Fleet = createFleet(roster, (name) => {
    const service = services.get(name.service)
    if (service === undefined || isShuttingDown || unrunnable.has(name.service)) return undefined
    const rules = options.serviceFor(service, name.id)
    return { name, rules, house, ...remembered.take(formatInstance(name)) }
  })

  const operations = createOperations({
    roster,
    fleet,
    state,
    configFile: options.configFile,
    unrunnable,
    async purge(name) {
      await strays.gone(formatInstance(name))
      await options.purge(name)
    },
    dataDir: describe.dataDir,
    tracing: options.tracing,
    views: createViews({ roster, fleet, describe, unrunnable, clock, idle: house.idle }),
  })

  // What is remembered of an instance is loaded with it, so those of whom something is remembered are made now.
  for (const key of remembered.keys()) instanceNamed(fleet, key)
  takeOver(fleet, strays, { adopted: options.adopted ?? [], exits: options.exits ?? [] })

  const refusalOf = (key: string): Refusal => {
    const name = parseInstance(key)
    if (name === undefined || roster.sourceOf(name) === undefined) return refusals.unknown(key)
    return unrunnable.has(name.service) ? refusals.unrunnable(key) : refusals.shuttingDown(key)
  }

  return {
    wake: (key, context) => {
      const instance = instanceNamed(fleet, key)
      if (instance === undefined) return Promise.reject(refusalOf(key))
      const lease = request(instance, context)
      // One that refused at once has not begun to wake, and may be a name that a stranger made up.
      fleet.forgetIfUnused(instance)
      return lease
    },
    onlookers: {
      look(key) {
        const instance = fleet.find(key)
        return instance === undefined ? { state: 'done' } : look(instance)
      },
      wish: (key) => fleet.find(key)?.demand?.wish(),
    },
    operations,
    isAsleep(key) {
      const instance = fleet.find(key)
      return instance === undefined ? !unrunnable.has(parseInstance(key)?.service ?? '') : isAsleep(instance)
    },
    isReady: (key) => fleet.find(key)?.state.phase === 'ready',
    census: () => takeCensus(services.keys(), roster, fleet),
    isKnown: (service, id) => roster.sourceOf({ service, id }) !== undefined,
    autostart() {
      for (const name of roster.named()) {
        const service = services.get(name.service)
        if (service !== undefined && options.serviceFor(service, name.id).autostart) fleet.get(name)?.want()
      }
    },
    async shutdown() {
      isShuttingDown = true
      const ending = [...fleet.all()].map((instance) =>
        orders.close(instance, () => refusals.shuttingDown(instance.key), 'stopped with tenement', 0),
      )
      await Promise.all([...ending, strays.gone()])
    },
  }
}
