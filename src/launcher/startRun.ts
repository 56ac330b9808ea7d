// One start: from a request that the policy allowed to an application in its confines. Whatever fails on the way rejects when
// nothing is left of it: no process, no cgroup, no record. Knows nothing of other runs.
import type { RunCgroup } from '../cgroups/runCgroup.ts'
import { messageOf } from '../errors.ts'
import type { Attestation } from '../isolation/adapter.ts'
import { confine } from './confine.ts'
import { cleanUp, endProcesses } from './endRun.ts'
import { rootsOf } from './policy.ts'
import { type PreparedNetwork, prepareNetwork } from './prepareNetwork.ts'
import type { Group } from './processes.ts'
import type { RunRecord } from './protocol.ts'
import { groupOf, leaderOf, removeRecord, writeRecord } from './records.ts'
import { type LaunchRequest, nameOf, type RunGroup, type Site, type Started } from './run.ts'
import { type Spawned, spawnLaunch } from './spawn.ts'
import { holdToQuota } from './storage/quota.ts'

/** A start under way: its record, and how its processes are ended as soon as there are any. */
export interface Starting {
  readonly record: RunRecord
  /** Aborted when nothing is to be started any more. */
  readonly abandoned: AbortSignal
  group?: RunGroup
}

export const draftOf = ({ run, service, id, note, launch }: LaunchRequest): RunRecord => ({
  ...{ run, service, id, note },
  pid: 0,
  startedAtMs: Date.now(),
  launch: {
    identity: launch.identity,
    ...(launch.privileged ? { privileged: true } : {}),
    reach: launch.reach,
  },
})

/** Resolves when the application executes. `starting.group` is kept up to date, so that others may end the start meanwhile. */
export const startRun = async (site: Site, request: LaunchRequest, starting: Starting): Promise<Started> => {
  const { run, launch } = request
  const { record } = starting
  let cgroup: RunCgroup | undefined
  try {
    // Before there is a pid: should the launcher die in between, the next one knows the uid whose processes it has to end.
    if (launch.identity !== undefined) keepRecord(site, record, undefined, groupOf(run, undefined, launch))
    const quota = await holdToQuota(site.policy, request, starting.abandoned)
    if (needsCgroup(site, request)) cgroup = site.cgroups.make(run, launch.resources)
    const spawned = await spawnLaunch({ policy: site.policy, canMount: site.canMount, cgroup }, request)
    const { attestation, ...settled } = await settle(site, request, starting, spawned, cgroup)
    const attested = attestation === undefined ? {} : { attestation }
    return { record: { ...record, pid: spawned.pid, ...attested }, spawned, quota, ...settled }
  } catch (error) {
    removeRecord(site.policy.runDir, run)
    await cgroup?.remove()
    throw error
  }
}

/** What is bounded needs one, and so does what may be frozen, where that can be done; joining one costs others a little time. */
const needsCgroup = ({ cgroups }: Site, { launch, isFreezable = false }: LaunchRequest): boolean =>
  Object.keys(launch.resources).length > 0 || (isFreezable && cgroups.support.kill === 'enforced')

interface Settled extends Pick<Started, 'group' | 'network'> {
  readonly attestation: Attestation | undefined
}

/** From a process to an application in its confines; rejects when there is nothing left of it. */
const settle = async (
  site: Site,
  request: LaunchRequest,
  starting: Starting,
  spawned: Spawned,
  cgroup: RunCgroup | undefined,
): Promise<Settled> => {
  const { run, launch, isTraced = false } = request
  const { record } = starting
  const hold = (group: RunGroup): RunGroup => {
    starting.group = group
    keepRecord(site, record, spawned.pid, group)
    return group
  }
  let group = hold({ ...groupOf(run, leaderOf(spawned.pid), launch), cgroup })
  let network: PreparedNetwork | undefined
  if (spawned.gate === undefined) return { group, network, attestation: undefined }
  try {
    const attestation = await confine(spawned, spawned.gate, launch, {
      onHeld: async (first) => {
        group = { ...group, first }
        starting.group = group
        // Without a uid of its own only its first process tells what a later launcher has to end; a tracer looks for it too.
        if (launch.identity === undefined || isTraced) hold(group)
        network = await prepareNetwork(site.networks, first, launch, cgroup)
      },
      onReleased: () => {
        if (launch.identity !== undefined) hold(group)
      },
      cgroup,
      roots: rootsOf(site.policy, request),
      isTraced,
    })
    return { group, network, attestation }
  } catch (error) {
    await endProcesses(site, record, group)
    for (const stream of [spawned.stdout, spawned.stderr]) stream.destroy()
    await cleanUp(site, record, () => {
      network?.release()
      spawned.release()
    })
    throw error
  }
}

const keepRecord = (
  { policy, warn }: Site,
  record: RunRecord,
  pid: number | undefined,
  { first }: Pick<Group, 'first'>,
): void => {
  try {
    const { identity, privileged = false } = record.launch
    writeRecord(policy.runDir, { run: record.run, pid, uid: identity?.uid, first, privileged })
  } catch (error) {
    warn('could not record a run: a later launcher would not find it', {
      instance: nameOf(record),
      error: messageOf(error),
    })
  }
}
