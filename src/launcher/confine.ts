// A held program → a confined one: bounded, compared with what was expected of it, let go, and looked at once more when it has
// become the application. Whatever does not hold rejects; the caller then ends what was started.
import { setTimeout as delay } from 'node:timers/promises'
import type { RunCgroup } from '../cgroups/runCgroup.ts'
import type { Attestation, Launch } from '../isolation/adapter.ts'
import { attestExecuted, attestHeld, descriptorsHeld } from './attest.ts'
import type { Gate } from './descriptors.ts'
import { type HeldProgram, untilExecuted, untilHeld, untilTraced } from './hold.ts'
import { applyLimits, canLimit } from './limits.ts'
import { needsNetwork } from './prepareNetwork.ts'
import { type FirstProcess, firstProcessOf } from './processes.ts'
import type { Spawned } from './spawn.ts'

/** What the caller does on the way. */
interface Steps {
  /** Told of the namespace's first process as soon as there is one: from then on the caller can end everything through it. */
  readonly onHeld: (first: FirstProcess) => Promise<void>
  /** While the program turns into the application: time that is waited for anyway. */
  readonly onReleased: () => void
  readonly cgroup: RunCgroup | undefined
  /** Paths of the operator's, below which what is shown lies. */
  readonly roots: readonly string[]
  /** Whether it is let go only once somebody traces it. */
  readonly isTraced: boolean
}

/** Rejects with what the program said when it ends, with Unattested when it is not what was expected. */
export const confine = async (
  spawned: Spawned,
  gate: Gate,
  launch: Launch,
  { onHeld, onReleased, cgroup, roots, isTraced }: Steps,
): Promise<Attestation | undefined> => {
  const { child, pid } = spawned
  const program: HeldProgram = {
    pid,
    depth: launch.depth,
    gate,
    prepared: spawned.prepared,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
  }
  const held = await untilHeld(program)
  if (held === undefined) throw await endedEarly(spawned, launch)
  const first = firstProcessOf(held)
  if (first !== undefined) await onHeld(first)
  else if (needsNetwork(launch)) throw new Error(`the network of process ${held} cannot be looked at while it is held`)
  if (canLimit(launch.identity)) applyLimits(held, launch.limits)
  const { expect } = launch
  const found =
    expect === undefined ? undefined : attestHeld(held, expect, { identity: launch.identity, cgroup, roots })
  const descriptors = expect === undefined ? undefined : descriptorsHeld(held, expect)
  if (isTraced) await untilTraced(program, held)
  gate.open()
  onReleased()
  const application = await untilExecuted(program, held)
  if (expect === undefined || found === undefined || descriptors === undefined) return undefined
  // One that ended at once has nothing left to look at: its exit is reported as any other.
  const executed = application === undefined ? {} : attestExecuted(application, expect, descriptors)
  return { atMs: Date.now(), found: { ...found, ...executed } }
}

/** Characters kept of what a program says before it ends. */
const keptWords = 1_000

/** The program's own words are the reason: it writes them before it ends. */
const endedEarly = async ({ stderr, child }: Spawned, { argv }: Launch): Promise<Error> => {
  let said = ''
  // All is read, so that it can end; what is kept is bounded, whatever an application makes of its last moment.
  stderr.on('data', (chunk: Buffer) => {
    if (said.length < keptWords) said += chunk.toString('utf8').slice(0, keptWords)
  })
  await Promise.race([new Promise((resolve) => stderr.once('close', resolve)), delay(500, undefined, { ref: false })])
  const words = said.trim().slice(0, keptWords)
  const how = child.signalCode ?? `exit code ${child.exitCode}`
  return new Error(`"${argv[0]}" ended before the application began (${how})${words === '' ? '' : `: ${words}`}`)
}
