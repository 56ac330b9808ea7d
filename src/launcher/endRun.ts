// The end of a run: its last process is gone, what the launcher kept of it is given back, and its causes are told. Nothing here
// gives up: what was not ended would hold its uid and its data while the next start begins.
import { once } from 'node:events'
import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import { endGroup } from './endGroup.ts'
import { unmount } from './libc.ts'
import { ownSocketDir } from './policy.ts'
import type { Exited, RunRecord } from './protocol.ts'
import { purgeDirectory } from './purge.ts'
import { removeRecord } from './records.ts'
import { type Attended, nameOf, type RunGroup, type Site } from './run.ts'
import type { Spawned } from './spawn.ts'
import type { HeldQuota } from './storage/quota.ts'
import { isFull } from './storage/stored.ts'

/** Resolves when every process of a run is gone; tried until that is so. */
export const endProcesses = async ({ warn }: Pick<Site, 'warn'>, record: RunRecord, group: RunGroup): Promise<void> => {
  const instance = nameOf(record)
  for (;;) {
    try {
      // At one stroke where the machine can; what follows makes sure, and is all there is where it cannot.
      await group.cgroup?.kill()
      return await endGroup(group, (pids) => warn('processes survive SIGKILL', { instance, pids }))
    } catch (error) {
      warn('could not end the processes of a run, trying again', { instance, error: messageOf(error) })
      await delay(1_000)
    }
  }
}

/** Waits for the application to end, ends what it left behind, and resolves with how it went when nothing is left. */
export const finish = async (
  site: Site,
  { record, spawned, output, group, depth, network, quota, state }: Attended,
  wasOutOfMemory: (signal: NodeJS.Signals | null) => boolean,
): Promise<Exited> => {
  const { code, signal } = await exitOf(spawned, depth)
  const wasKilledForMemory = wasOutOfMemory(signal)
  // Also after an exit of its own accord: what it left behind would hold its socket, its uid and its data.
  await endProcesses(site, record, group)
  await drain(spawned)
  const causes = group.cgroup?.causes()
  // Its own count is exact; the machine's tells only that somebody was killed for it.
  const outOfMemory = causes?.outOfMemory || (!state.isKilled && wasKilledForMemory)
  const outOfStorage = isOutOfStorage(site, record, quota)
  if (outOfStorage) output.remark('its data had reached storage_max when it ended: writes failed')
  if (outOfMemory) output.remark('ended by the kernel for want of memory')
  if (state.endedFor !== null) output.remark(`ended: ${state.endedFor}`)
  await cleanUp(site, record, async () => {
    output.close()
    network?.release()
    spawned.release()
    await group.cgroup?.remove()
  })
  const { run, service, id } = record
  const refusedForks = causes?.refusedForks ?? 0
  const refused = { outOfMemory, refusedForks, outOfStorage }
  const exit = { code, signal, ...refused, endedFor: state.endedFor, lastLines: output.lastLines() }
  return { type: 'exited', run, service, id, note: state.note, exit }
}

/** Asked before its directory may be purged; a file system that does not answer keeps no run from ending. */
const isOutOfStorage = ({ warn }: Site, record: RunRecord, quota: HeldQuota | undefined): boolean => {
  try {
    const found = quota?.read()
    return found !== undefined && isFull(found)
  } catch (error) {
    warn('could not read the quota of a run', { instance: nameOf(record), error: messageOf(error) })
    return false
  }
}

/** Never rejects: whatever could not be cleaned up, the run has ended, and must be reported. */
export const cleanUp = async (site: Site, record: RunRecord, release: () => void | Promise<void>): Promise<void> => {
  try {
    await release()
    if (record.launch.reach.kind === 'unix') await removeSocketDir(site, record)
    removeRecord(site.policy.runDir, record.run)
  } catch (error) {
    site.warn('could not clean up after a run', { instance: nameOf(record), error: messageOf(error) })
  }
}

const removeSocketDir = async ({ policy, canMount }: Site, { run, launch: { identity } }: RunRecord): Promise<void> => {
  const path = ownSocketDir(policy, run)
  if (canMount) unmount(path)
  await purgeDirectory(policy.runDir, path, identity)
}

interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const exitOf = async ({ child }: Spawned, depth: number): Promise<ProcessExit> => {
  // It may have ended while it was still being confined.
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  const signal = depth > 0 ? signalOf(child.exitCode) : undefined
  return signal === undefined ? { code: child.exitCode, signal: child.signalCode } : { code: null, signal }
}

/** A monitor passes on that a signal ended the application as a shell does: 128 and the signal's number. */
const signalOf = (code: number | null): NodeJS.Signals | undefined => {
  const found = Object.entries(constants.signals).find(([, number]) => number === (code ?? 0) - 128)
  return found === undefined ? undefined : (found[0] as NodeJS.Signals)
}

/** Waits for what is still in the pipes. Bounded: a process that got away from the group could hold them open for ever. */
const drain = async ({ stdout, stderr }: Spawned): Promise<void> => {
  const open = [stdout, stderr].filter((stream) => !stream.closed)
  await Promise.race([Promise.all(open.map((stream) => once(stream, 'close'))), delay(500, undefined, { ref: false })])
  for (const stream of open) stream.destroy()
}
