// Attacks one adapter on this machine: real launches by a real launcher, in a place of its own that is removed afterwards. The one
// way in for the command line and for the conformance kit. It sets nothing for the whole machine.
import { randomBytes } from 'node:crypto'
import { copyFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { rows } from '../attack/rows.ts'
import { findBarrier } from '../check/reachability.ts'
import { isWithin } from '../config/dataDir.ts'
import { messageOf } from '../errors.ts'
import type { IsolationAdapter, Network, Probe } from '../isolation/adapter.ts'
import { bombs } from './bombs.ts'
import { type Canaries, plantCanaries } from './canaries.ts'
import { type Conductor, startConductor } from './conductor.ts'
import { elsewhereRows } from './elsewhere.ts'
import { ends, survival } from './ends.ts'
import { makePlace, type Place } from './place.ts'
import type { Where } from './promised.ts'
import { type AttackReport, type AttackRow, countsOf } from './report.ts'
import { type Scene, setScene } from './scene.ts'
import { makeStage } from './stage.ts'
import { aim, runTopic, type Stand, settleNeighbour, topics, unproved } from './topics.ts'
import { runTrial, serviceOf, type Trial } from './trial.ts'

export interface AttackOptions {
  /** What the adapter says of this machine. */
  readonly probe: Probe
  /** As under [service.X.options]; none where it is left out. */
  readonly options?: Readonly<Record<string, unknown>>
  /** Folder below which the attack takes place. */
  readonly parent?: string
  /** Told what is done next, in words. */
  readonly onStep?: (what: string) => void
  /** Ends the attack: nothing of it is left when it rejects. */
  readonly signal?: AbortSignal
}

/** Resolves with what was found, broken promises included; rejects only where nothing could be tried at all. */
export const attack = async (adapter: IsolationAdapter, options: AttackOptions): Promise<AttackReport> => {
  const { probe } = options
  const startedAtMs = Date.now()
  const report = (found: readonly AttackRow[]): AttackReport => ({
    adapter: adapter.name,
    usable: probe.usable,
    problem: probe.problem ?? null,
    lost: probe.lost,
    startedAtMs,
    durationMs: Date.now() - startedAtMs,
    rows: found,
    counts: countsOf(found),
  })
  if (!probe.usable) return report(notUsable(probe))
  const isRoot = process.geteuid?.() === 0
  const place = makePlace(options.parent ?? usualParent(isRoot), isRoot, services)
  try {
    return report(await attackIn(place, adapter, options))
  } finally {
    place.remove()
  }
}

/** On the file system of most data, and reached by tenants; below /tmp instances would find one of their own. */
export const usualParent = (isRoot: boolean): string =>
  isRoot ? '/var/lib' : join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'tenement')

const notUsable = ({ problem }: Probe): readonly AttackRow[] =>
  rows.map(({ row, sentence }) => ({
    ...{ row, sentence, network: null, outcome: 'not run' as const, promisedBy: [] },
    because: [`it cannot run here: ${problem?.reason ?? 'it does not say why'}`],
  }))

interface Ground {
  readonly adapter: IsolationAdapter
  readonly options: AttackOptions
  readonly place: Place
  readonly conductor: Conductor
  readonly canaries: Canaries
  readonly scene: Scene
  readonly secret: string
}

const attackIn = async (
  place: Place,
  adapter: IsolationAdapter,
  options: AttackOptions,
): Promise<readonly AttackRow[]> => {
  const stage = makeStage(place.root)
  const canaries = await plantCanaries(place.root, stage)
  const secret = `not-for-tenants-${randomBytes(6).toString('hex')}`
  const policy = { ...place.policy, privileged: adapter.privileged ? Object.keys(place.policy.floors) : [] }
  const conductor = await startConductor(place.root, policy, secret).catch((error: unknown) => {
    canaries.close()
    throw error
  })
  try {
    const node = await nodeFor(stage, adapter)
    const { probe, options: written = {} } = options
    const scene = await setScene({ adapter, probe, place, conductor, node, written })
    return await tryAll({ adapter, options, place, conductor, canaries, scene, secret })
  } finally {
    await conductor.close()
    canaries.close()
  }
}

/** The Node of this process, or a copy where a tenant could not reach it or does not see it. */
const nodeFor = async (stage: string, { sight }: IsolationAdapter): Promise<string> => {
  const node = process.execPath
  const isSeen = sight === undefined || sight.shown.some((folder) => isWithin(node, folder))
  if (isSeen && (await findBarrier(node)) === undefined) return node
  const copy = join(stage, 'node')
  copyFileSync(node, copy)
  return copy
}

const tryAll = async (ground: Ground): Promise<readonly AttackRow[]> => {
  const { adapter, options, scene, place, conductor } = ground
  const usual = whereOf(adapter, options.probe, scene.defaults.network)
  const step = (what: string): void => {
    options.signal?.throwIfAborted()
    options.onStep?.(what)
  }
  let stand: Stand
  try {
    step('start')
    stand = await setStand(ground, 'attacker')
  } catch (error) {
    options.signal?.throwIfAborted()
    return rows.map((row) => unproved(row, `it could not be started: ${messageOf(error)}`, usual, null))
  }
  const found: AttackRow[] = []
  for (const topic of topics) {
    step(topic)
    found.push(...(await runTopic(topic, stand, usual)))
  }
  for (const network of furtherNetworks(adapter, options.probe, scene.defaults.network)) {
    step(`network "${network}"`)
    found.push(...(await tryNetwork(ground, stand, network)))
  }
  await stand.attacker.stop('SIGTERM', 2_000)
  const trialGround = { scene, place, conductor, neighbour: stand.neighbour, where: usual }
  const lanes = [ends, quickBombs, slowBombs].map(async (trials) => {
    const rows: AttackRow[] = []
    for (const trial of trials) {
      step(`row ${trial.row}`)
      rows.push(await runTrial(trial, trialGround))
    }
    return rows
  })
  found.push(...(await Promise.all(lanes)).flat())
  found.push(await runTrial(survival, trialGround))
  await stand.neighbour.stop('SIGTERM', 2_000)
  return [...found, ...elsewhereRows].sort(byRow)
}

/** Row 51 waits for the launcher to look at a directory again. */
const isSlow = ({ row }: Trial): boolean => row === '51'
const slowBombs = bombs.filter(isSlow)
const quickBombs = bombs.filter((trial) => !isSlow(trial))

/** Every service that is launched in an attack. */
const services: readonly string[] = [
  ...['neighbour', 'attacker', 'on-private', 'on-internet'],
  ...[...ends, ...bombs, survival].map(serviceOf),
]

/** '2' before '10', '14' before '14.port'. */
const byRow = (one: AttackRow, other: AttackRow): number =>
  Number.parseInt(one.row, 10) - Number.parseInt(other.row, 10) || one.row.localeCompare(other.row)

const whereOf = ({ capabilities }: IsolationAdapter, { lost }: Probe, network: Network): Where => ({
  claims: new Set(Object.keys(capabilities)),
  lost: new Set(lost.map(({ capability }) => capability)),
  network,
})

let lastNumber = 0

const setStand = async (ground: Ground, name: string): Promise<Stand> => {
  const { scene, place, canaries } = ground
  const neighbour = await scene.start({ name: 'neighbour' })
  const attacker = await scene.start({ name })
  await attacker.post('/who', {})
  lastNumber += 1
  const settled = await settleNeighbour(neighbour, place, (process.pid % 4_000) * 10 + (lastNumber % 10))
  return { attacker, neighbour, canaries, targets: await aim(ground, canaries, attacker, settled) }
}

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

const tryNetwork = async (ground: Ground, stand: Stand, network: Network): Promise<readonly AttackRow[]> => {
  const where = whereOf(ground.adapter, ground.options.probe, network)
  try {
    const attacker = await ground.scene.start({ name: `on-${network}`, network })
    const found = await runTopic('network', { ...stand, attacker }, where)
    await attacker.stop('SIGTERM', 2_000)
    return found
  } catch (error) {
    return rows
      .filter(({ topic }) => topic === 'network')
      .map((row) => unproved(row, `it could not be started: ${messageOf(error)}`, where, network))
  }
}
