// Every proof of one adapter on this machine: attacks on what it promises, and the lifecycle that is asked of all. One report, from
// which the command line and test runners tell the same.

import { probeIdentityIn } from '../check/probeIdentity.ts'
import { messageOf, TenementError } from '../errors.ts'
import { capabilities } from '../isolation/capabilities.ts'
import { type LoadedPlugin, loadPlugin } from '../plugin/load.ts'
import { attack, usualParent } from '../proof/attack.ts'
import { makePlace } from '../proof/place.ts'
import { byLauncher } from '../proof/promised.ts'
import type { AttackReport, AttackRow } from '../proof/report.ts'
import { type Candidate, type Ground, setGround } from './ground.ts'
import { lifecycle, NotHeld, NotRun } from './lifecycle.ts'
import { type ConformanceReport, countsOf, type Proof } from './report.ts'

export interface ProveOptions {
  /** A module, a folder with a package.json, or the name of a package; a path is absolute. */
  readonly plugin: string
  /** Where packages are looked for. */
  readonly folder: string
  /** As in [isolation.NAME]. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** As in [service.X.options]. */
  readonly options?: Readonly<Record<string, unknown>>
  /** Hears what is done next, and what the plug-in writes. */
  readonly say?: (line: string) => void
  /** Ends it: nothing is left when it rejects. */
  readonly signal?: AbortSignal
}

/** Who hears what is done, and may end it. */
interface Watching {
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** Resolves with what was found, broken promises included. Rejects with a TenementError where the plug-in cannot be loaded or cannot run here. */
export const prove = async ({
  plugin,
  folder,
  settings = {},
  options = {},
  say = () => undefined,
  signal = new AbortController().signal,
}: ProveOptions): Promise<ConformanceReport> => {
  const startedAtMs = Date.now()
  const loaded = await loadPlugin(plugin, { folder, settings, say })
  try {
    const candidate = await candidateOf(loaded, settings, options)
    const lived = await proveLifecycle(candidate, { say, signal })
    const harmful = lifecycle.find(
      ({ isBeforeAttacks, sentence }) =>
        isBeforeAttacks && lived.some((proof) => proof.sentence.endsWith(sentence) && proof.outcome === 'failed'),
    )
    const promises =
      harmful === undefined
        ? await provePromises(candidate, lived, { say, signal })
        : unattacked(candidate, harmful.sentence)
    const proofs = [...lived, ...promises]
    const { name, file } = loaded
    return { name, file, durationMs: Date.now() - startedAtMs, proofs, counts: countsOf(proofs) }
  } finally {
    await loaded.close()
  }
}

const candidateOf = async (
  { adapter, file, name }: LoadedPlugin,
  settings: Candidate['settings'],
  options: Candidate['options'],
): Promise<Candidate> => {
  const isRoot = process.geteuid?.() === 0
  const probeIdentity = isRoot ? probeIdentityIn(probeUids) : undefined
  const probe = await adapter.probe({
    ...{ isRoot, hasTenantUids: isRoot },
    ...(probeIdentity === undefined ? {} : { probeIdentity }),
  })
  if (!probe.usable)
    throw new TenementError('unsupported_machine', `isolation "${name}" cannot run here: ${probe.problem?.reason}`, {
      fix: probe.problem?.fix ?? 'prove it on another machine',
    })
  return { file, adapter, probe, settings, options }
}

/** The usual range of tenants, of which the highest without a process is taken. */
const probeUids = { first: 700_000, last: 765_535 }

const proveLifecycle = async (candidate: Candidate, { say, signal }: Watching): Promise<readonly Proof[]> => {
  const isRoot = process.geteuid?.() === 0
  const place = makePlace(usualParent(isRoot), isRoot, [])
  try {
    const ground = await setGround(candidate, place)
    // What is being asked of it then fails, and the loop below ends.
    const end = (): void => void ground.tenement.close()
    signal.addEventListener('abort', end)
    try {
      return await proveEach(ground, { say, signal })
    } finally {
      signal.removeEventListener('abort', end)
      await ground.tenement.close()
    }
  } finally {
    place.remove()
  }
}

const proveEach = async (ground: Ground, { say, signal }: Watching): Promise<readonly Proof[]> => {
  const proofs: Proof[] = []
  for (const proof of lifecycle) {
    signal.throwIfAborted()
    const { capability } = proof
    const told = { about: capability ?? 'lifecycle', sentence: `an instance ${proof.sentence}` }
    say(told.sentence)
    const isPromised = capability === undefined || isKept(ground.candidate, capability)
    const result = isPromised
      ? await resultOf(() => proof.run(ground))
      : { outcome: 'not run' as const, because: [`"${capability}" is not promised here`] }
    proofs.push({ ...told, ...result })
  }
  return proofs
}

const resultOf = async (run: () => Promise<void>): Promise<Pick<Proof, 'outcome' | 'because'>> => {
  try {
    await run()
    return { outcome: 'held', because: [] }
  } catch (error) {
    if (error instanceof NotRun) return { outcome: 'not run', because: [error.message] }
    const because = error instanceof NotHeld ? error.message : `it could not be tried: ${messageOf(error)}`
    return { outcome: 'failed', because: [because] }
  }
}

const isKept = ({ adapter, probe }: Candidate, capability: string): boolean =>
  adapter.capabilities[capability] !== undefined && !probe.lost.some((loss) => loss.capability === capability)

/** One proof for each promise, of all attacks that would break it; and one for what tenement itself promises of every instance. */
const provePromises = async (
  candidate: Candidate,
  lived: readonly Proof[],
  { say, signal }: Watching,
): Promise<readonly Proof[]> => {
  const { adapter, probe, options } = candidate
  const report = await attack(adapter, { probe, options, signal, onStep: (what) => say(`attacks: ${what}`) })
  const promised = Object.keys(adapter.capabilities).filter((capability) => Object.hasOwn(capabilities, capability))
  return [...promised.map((capability) => proofOf(capability, candidate, report, lived)), proofOfAll(report)]
}

/** How the proof of a promise is worded. */
export const sentenceOf = (capability: string): string =>
  `an instance with "${capability}": ${capabilities[capability]?.promise ?? ''}`

const proofOf = (capability: string, candidate: Candidate, { rows }: AttackReport, lived: readonly Proof[]): Proof => {
  const told = { about: capability, sentence: sentenceOf(capability) }
  const lost = candidate.probe.lost.find((loss) => loss.capability === capability)
  if (lost !== undefined) return { ...told, outcome: 'not run', because: [`lost on this machine: ${lost.reason}`] }
  const against = rows.filter(({ promisedBy }) => promisedBy.includes(capability))
  if (against.length > 0) return { ...told, ...outcomeOf(against) }
  const other = lived.find(({ about }) => about === capability)
  return { ...(other ?? outcomeOf(rows.filter((row) => isBehind(capability, row)))), ...told }
}

/** By an instance that could harm the machine nothing is tried, and nothing of it is proved. */
const unattacked = ({ adapter }: Candidate, sentence: string): readonly Proof[] =>
  Object.keys(adapter.capabilities).map((about) => ({
    about,
    sentence: sentenceOf(about),
    outcome: 'failed',
    because: [`nothing was attacked, since that an instance ${sentence} does not hold`],
  }))

/** What tenement itself keeps of every instance, and an adapter can promise as well: its proofs are attacks on both. */
const isBehind = (capability: string, { row, promisedBy }: AttackRow): boolean =>
  promisedBy.includes(byLauncher) && (capabilities[capability]?.proofs.includes(Number.parseInt(row, 10)) ?? false)

const proofOfAll = ({ rows }: AttackReport): Proof => ({
  about: byLauncher,
  sentence: 'an instance breaks nothing that tenement promises of all of them',
  ...outcomeOf(rows.filter(({ promisedBy }) => promisedBy.includes(byLauncher))),
})

const outcomeOf = (rows: readonly AttackRow[]): Pick<Proof, 'outcome' | 'because'> => {
  const broken = rows.filter(({ outcome }) => outcome === 'broken')
  if (broken.length > 0) return { outcome: 'failed', because: broken.map(inWords) }
  if (rows.some(({ outcome }) => outcome === 'stopped')) return { outcome: 'held', because: [] }
  const because = rows.length === 0 ? ['no attack of those that run here is about it'] : rows.map(inWords)
  return { outcome: 'not run', because }
}

const inWords = ({ row, sentence, because }: AttackRow): string =>
  `row ${row}, "it ${sentence}"${because.length === 0 ? '' : `: ${because.join('; ')}`}`
