// The order of an attack: first what one attacker tries by itself beside its neighbour, topic by topic, then what takes an instance
// of its own for each row, then what takes the server away. It neither makes the place nor removes it.
import { basename } from 'node:path'
import { type Row, rows } from '../attack/rows.ts'
import { messageOf } from '../errors.ts'
import type { IsolationAdapter, Network, Probe } from '../isolation/adapter.ts'
import type { AttackOptions } from './attack.ts'
import { bombs } from './bombs.ts'
import type { Canaries } from './canaries.ts'
import type { Conductor } from './conductor.ts'
import { elsewhereRows } from './elsewhere.ts'
import { ends, survival } from './ends.ts'
import type { Place } from './place.ts'
import type { Where } from './promised.ts'
import type { AttackRow } from './report.ts'
import type { Actor, Scene } from './scene.ts'
import { newSharedNames, removeSharedObjects } from './sharedObjects.ts'
import { aim, runTopic, type Stand, settleNeighbour, unproved } from './topics.ts'
import { runTrial, serviceOf, type Trial } from './trial.ts'

export interface Ground {
  readonly adapter: IsolationAdapter
  readonly options: AttackOptions
  readonly place: Place
  readonly conductor: Conductor
  readonly canaries: Canaries
  readonly scene: Scene
  readonly secret: string
}

/** Every service that is launched in an attack. */
export const services: readonly string[] = [
  ...['neighbour', 'attacker', 'on-private', 'on-internet'],
  ...[...ends, ...bombs, survival].map(serviceOf),
]

/** Rejects only where `signal` was given; an instance that is not started leaves its rows unproved. */
export const tryAll = async (ground: Ground): Promise<readonly AttackRow[]> => {
  const { adapter, options, scene } = ground
  const { only = () => true } = options
  const where = whereOf(adapter, options.probe, scene.defaults.network)
  step(ground, 'start')
  const found = await tryOn(ground, where, {
    rows: rows.filter(({ row }) => only(row)),
    trials: [...ends, ...bombs, survival].filter(({ row }) => only(row)),
  })
  return [...found, ...elsewhereRows.filter(({ row }) => only(row))].sort(byRow)
}

interface Chosen {
  readonly rows: readonly Row[]
  readonly trials: readonly Trial[]
}

const tryOn = async (ground: Ground, where: Where, chosen: Chosen): Promise<readonly AttackRow[]> => {
  let neighbour: Actor | undefined
  const shared = newSharedNames(basename(ground.place.root))
  try {
    neighbour = await ground.scene.start({ name: 'neighbour' })
    const targets = await settleNeighbour(neighbour, shared)
    return [
      ...(await tryTopics(ground, where, chosen.rows, neighbour, targets)),
      ...(await tryTrials(ground, where, chosen.trials, neighbour)),
    ]
  } catch (error) {
    ground.options.signal?.throwIfAborted()
    const reason = `it could not be started: ${messageOf(error)}`
    return [...chosen.rows, ...chosen.trials].map((row) => unproved(row, reason, where, null))
  } finally {
    if (neighbour !== undefined) {
      await leave(neighbour)
      removeSharedObjects(shared, neighbour.identity?.uid ?? process.getuid?.() ?? 0)
    }
  }
}

const step = ({ options }: Ground, what: string): void => {
  options.signal?.throwIfAborted()
  options.onStep?.(what)
}

/** In its own time, since it removes what outlives processes (sysvipc(7)); at once, where it has no more time to take. */
const leave = async (actor: Actor): Promise<void> => {
  await actor.stop('SIGTERM', 2_000).catch(() => actor.end())
}

const tryTopics = async (
  ground: Ground,
  where: Where,
  chosen: readonly Row[],
  neighbour: Actor,
  targets: Stand['targets']['neighbour'],
): Promise<readonly AttackRow[]> => {
  if (chosen.length === 0) return []
  const { scene, canaries } = ground
  const attacker = await scene.start({ name: 'attacker' })
  await attacker.post('/who', {})
  const stand = { attacker, neighbour, canaries, targets: await aim(ground, canaries, attacker, targets) }
  const found: AttackRow[] = []
  for (const topic of new Set(chosen.map((row) => row.topic))) {
    step(ground, topic)
    found.push(...(await runTopic(ofTopic(chosen, topic), stand, where)))
  }
  await leave(attacker)
  const onNetwork = ofTopic(chosen, 'network')
  if (onNetwork.length === 0) return found
  for (const network of furtherNetworks(ground.adapter, ground.options.probe, where.network)) {
    step(ground, `network "${network}"`)
    found.push(...(await tryNetwork(ground, stand, onNetwork, network)))
  }
  return found
}

const ofTopic = (chosen: readonly Row[], topic: Row['topic']): readonly Row[] =>
  chosen.filter((row) => row.topic === topic)

/** At the same time as far as one does not take from the other; the one that kills the server comes last. */
const tryTrials = async (
  ground: Ground,
  where: Where,
  chosen: readonly Trial[],
  neighbour: Actor,
): Promise<readonly AttackRow[]> => {
  const { scene, place, conductor } = ground
  const run = (trial: Trial): Promise<AttackRow> => {
    step(ground, `row ${trial.row}`)
    return runTrial(trial, { scene, place, conductor, neighbour, where })
  }
  const lanes = [ends, bombs.filter((trial) => !isSlow(trial)), bombs.filter(isSlow)].map(async (lane) => {
    const found: AttackRow[] = []
    for (const trial of lane) if (chosen.includes(trial)) found.push(await run(trial))
    return found
  })
  // All of them have ended before one that was left is told of: they share a launcher that ends then.
  const settled = await Promise.allSettled(lanes)
  const found = settled.flatMap((lane) => {
    if (lane.status === 'rejected') throw lane.reason
    return lane.value
  })
  return chosen.includes(survival) ? [...found, await run(survival)] : found
}

/** Row 51 waits for the launcher to look at a directory again. */
const isSlow = ({ row }: Trial): boolean => row === '51'

/** '2' before '10', '14' before '14.port'. */
const byRow = (one: AttackRow, other: AttackRow): number =>
  Number.parseInt(one.row, 10) - Number.parseInt(other.row, 10) || one.row.localeCompare(other.row)

const whereOf = ({ capabilities }: IsolationAdapter, { lost }: Probe, network: Network): Where => ({
  claims: new Set(Object.keys(capabilities)),
  lost: new Set(lost.map(({ capability }) => capability)),
  network,
})

/** Networks that are promised to whoever asks for them, beside the one that everybody gets. */
const furtherNetworks = (
  { capabilities, networks = ['private', 'internet'] }: IsolationAdapter,
  { lost }: Probe,
  usual: Network,
): readonly Network[] => {
  const isKept = (name: string): boolean =>
    capabilities[name] !== undefined && !lost.some(({ capability }) => capability === name)
  const further = [
    ['private', 'net.private'],
    ['internet', 'net.egress'],
  ] as const
  return further.flatMap(([network, capability]) =>
    network !== usual && networks.includes(network) && isKept(capability) ? [network] : [],
  )
}

const tryNetwork = async (
  ground: Ground,
  stand: Stand,
  chosen: readonly Row[],
  network: Network,
): Promise<readonly AttackRow[]> => {
  const where = whereOf(ground.adapter, ground.options.probe, network)
  try {
    const attacker = await ground.scene.start({ name: `on-${network}`, network })
    const found = await runTopic(chosen, { ...stand, attacker }, where)
    await leave(attacker)
    return found
  } catch (error) {
    return chosen.map((row) => unproved(row, `it could not be started: ${messageOf(error)}`, where, network))
  }
}
