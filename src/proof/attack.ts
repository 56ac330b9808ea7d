// Attacks one adapter on this machine: real launches by a real launcher, in a place of its own that is removed afterwards. The one
// way in for the command line and for the conformance kit. It sets nothing for the whole machine.
import { randomBytes } from 'node:crypto'
import { copyFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { rows } from '../attack/rows.ts'
import { findBarrier } from '../check/reachability.ts'
import { isWithin } from '../config/dataDir.ts'
import type { IsolationAdapter, Probe } from '../isolation/adapter.ts'
import { services, tryAll } from './campaign.ts'
import { plantCanaries } from './canaries.ts'
import { startConductor } from './conductor.ts'
import { makePlace, type Place } from './place.ts'
import { type AttackReport, type AttackRow, countsOf } from './report.ts'
import { setScene } from './scene.ts'
import { makeStage } from './stage.ts'

export interface AttackOptions {
  /** What the adapter says of this machine. */
  readonly probe: Probe
  /** As under [service.X.options]; none where it is left out. */
  readonly options?: Readonly<Record<string, unknown>>
  /** Folder below which the attack takes place. */
  readonly parent?: string
  /** Only these rows; all of them where it is left out. */
  readonly only?: (row: string) => boolean
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
  if (!probe.usable) return report(notUsable(options))
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

const notUsable = ({ probe: { problem }, only = () => true }: AttackOptions): readonly AttackRow[] =>
  rows
    .filter(({ row }) => only(row))
    .map(({ row, sentence }) => ({
      ...{ row, sentence, network: null, outcome: 'not run' as const, promisedBy: [] },
      because: [`it cannot run here: ${problem?.reason ?? 'it does not say why'}`],
    }))

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
