// What the launcher's part of a start takes, step by step, in a launcher that runs in this process: from the request to a held
// program, what looking whether it is confined costs, and from there to the application. Bare bubblewrap by hand beside it.
import { attestExecuted, attestHeld, descriptorsHeld } from '../../dist/launcher/attest.js'
import { untilExecuted, untilHeld } from '../../dist/launcher/hold.js'
import { closeDescriptorsOnExec, disableCoreDumps, setNoNewPrivileges } from '../../dist/launcher/libc.js'
import { applyLimits, canLimit } from '../../dist/launcher/limits.js'
import { endGroup, firstProcessOf } from '../../dist/launcher/processes.js'
import { groupOf } from '../../dist/launcher/records.js'
import { spawnLaunch } from '../../dist/launcher/spawn.js'
import { makeGround, prepareLaunch } from '../lib/launches.mjs'
import { inTurn, median, noise, quantile } from '../lib/numbers.mjs'
import { inPlace } from '../lib/place.mjs'

export const title = "the launcher's steps of one start (ms)"
export const columns = ['step', 'p10', 'p50', 'p95', 'noise']

/** Calls `step` under a name and keeps how long it took, promises included. */
const stopwatch = () => {
  const times = {}
  const timed = async (name, step) => {
    const begun = performance.now()
    const value = await step()
    times[name] = performance.now() - begun
    return value
  }
  return { times, timed }
}

const startOnce = async (ground, cgroups, isolation) => {
  const { times, timed } = stopwatch()
  const request = await timed('prepare (in the server)', () => prepareLaunch(ground, isolation))
  const { launch, run } = request
  const cgroup =
    Object.keys(launch.resources).length === 0
      ? undefined
      : await timed('make the cgroup', () => cgroups.make(run, launch.resources))
  const spawned = await timed('spawn', () => spawnLaunch({ policy: ground.policy, canMount: false, cgroup }, request))
  try {
    return await confineOnce({ request, spawned, cgroup, times, timed })
  } catch (error) {
    // What is held would wait at its gate for ever.
    await endGroup(groupOf(run, spawned.pid, launch.identity?.uid), () => undefined)
    throw error
  }
}

const confineOnce = async ({ request: { launch, run }, spawned, cgroup, times, timed }) => {
  const hasEnded = () => spawned.child.exitCode !== null || spawned.child.signalCode !== null
  const program = { pid: spawned.pid, depth: launch.depth, gate: spawned.gate, prepared: spawned.prepared, hasEnded }
  const held = await timed('until held', () => untilHeld(program))
  if (held === undefined) throw new Error('it ended before it was held')
  const first = await timed('find the first process', () => firstProcessOf(held))
  await timed('limits', () => canLimit(launch.identity) && applyLimits(held, launch.limits))
  await timed('attest: held', () => attestHeld(held, launch.expect, { identity: launch.identity, cgroup }))
  const descriptors = await timed('attest: descriptors', () => descriptorsHeld(held, launch.expect))
  spawned.gate.open()
  const application = await timed('until executed', () => untilExecuted(program, held))
  await timed('attest: executed', () => attestExecuted(application, launch.expect, descriptors))
  times['attest: all of it'] = ['attest: held', 'attest: descriptors', 'attest: executed'].reduce(
    (sum, name) => sum + times[name],
    0,
  )
  const group = groupOf(run, spawned.pid, launch.identity?.uid, first)
  await timed('end it', () => endGroup(group, () => undefined))
  spawned.release()
  for (const stream of [spawned.stdout, spawned.stderr]) stream.destroy()
  await timed('remove the cgroup', () => cgroup?.remove())
  return times
}

export const measure = ({ rounds }) =>
  inPlace(async (place) => {
    // As the launcher's own main does; what it starts is expected to show it.
    setNoNewPrivileges()
    disableCoreDumps()
    closeDescriptorsOnExec(3)
    const ground = makeGround(place)
    const { cgroups } = ground
    try {
      const values = await inTurn(
        ['namespace', 'sandbox'].map((isolation) => ({
          name: isolation,
          once: () => startOnce(ground, cgroups, isolation),
        })),
        rounds,
      )
      const rows = Object.entries(values).flatMap(([isolation, starts]) =>
        Object.keys(starts[0]).map((step) => {
          const times = starts.map((start) => start[step])
          return {
            step: `${isolation}: ${step}`,
            p10: quantile(times, 0.1),
            p50: median(times),
            p95: quantile(times, 0.95),
            noise: noise(times),
          }
        }),
      )
      return { rows, values }
    } finally {
      ground.close()
    }
  })
