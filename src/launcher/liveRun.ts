// A run while it lives: its output is read, its data directory measured, its way out watched; and it is stopped or killed when
// somebody asks, or when one of these says so.
import { constants } from 'node:os'
import { messageOf } from '../errors.ts'
import { endProcesses, finish } from './endRun.ts'
import { openLogFile } from './logFile.ts'
import { type Output, readOutput } from './output.ts'
import { descendantOf, signalMember } from './processes.ts'
import type { Exited, RunRecord, Stored } from './protocol.ts'
import { type Attended, type LaunchRequest, nameOf, type Run, type Site, type Started } from './run.ts'
import { lastingPlaces } from './storage/quota.ts'
import { isSameStored, quotaKindOf, storedOf } from './storage/stored.ts'
import { createStorageWatch, type Usage } from './storage/watch.ts'

export interface Listeners {
  readonly onLines: (run: string, lines: readonly string[]) => void
  /** Told after each look at its data that found something else. */
  readonly onStored: (run: string, stored: Stored) => void
  /** Told once, when nothing of it is left. */
  readonly onExit: (exited: Exited) => void
  readonly wasOutOfMemory: (signal: NodeJS.Signals | null) => boolean
}

/** Begins to look after a run that was just started. */
export const attend = (
  site: Site,
  request: LaunchRequest,
  started: Started,
  { onLines, onStored, onExit, wasOutOfMemory }: Listeners,
): Run => {
  const { record, spawned, network } = started
  const { launch } = request
  const output = openOutput(site, record)
  if (request.watch) output.watch((lines) => onLines(record.run, lines))
  output.read(spawned.stdout, 'out')
  output.read(spawned.stderr, 'err')
  const state: Attended['state'] = { note: record.note, isKilled: false, isFrozen: false, endedFor: null }
  const attended: Attended = { ...started, output, depth: launch.depth, state }
  const run: Run = { ...attended, ended: finish(site, attended, wasOutOfMemory).then(onExit) }
  watchStorage(site, request, run, (stored) => onStored(record.run, stored))
  void network?.uplink?.ended.then((how) => endCutOff(site, run, how))
  return run
}

const openOutput = ({ policy }: Site, { service, id }: RunRecord): Output =>
  readOutput({
    log: openLogFile({ logDir: policy.logDir, service, id, gid: policy.serverIdentity?.gid }, policy.log),
    bytesPerSecond: policy.log.bytesPerSecond,
    now: Date.now,
  })

/** Milliseconds that an instance has to end in order when its data directory is too full. */
const storageGraceMs = 5_000

/** Each directory of its own that lasts. What is told is of the first, or of all together where a quota counts them. */
const watchStorage = (site: Site, request: LaunchRequest, run: Run, onStored: (stored: Stored) => void): void => {
  const { storage } = request.launch
  if (storage === undefined) return
  const { record, state, quota } = run
  const bounds = { maxBytes: storage.bytes, maxFiles: storage.files }
  const tell = (looked: Usage, reactsWithinMs: number): void => {
    // What the file system counts is exact, and of this moment.
    const counted = quota?.read()
    const { bytes, files } = counted ?? looked
    const kind = quotaKindOf(request.launch, counted !== undefined)
    const stored = storedOf({ bytes, files, ...bounds }, kind, reactsWithinMs)
    if (isSameStored(state.stored, stored)) return
    state.stored = stored
    onStored(stored)
  }
  for (const [index, { root, path }] of lastingPlaces(site.policy, request).entries()) {
    const watch = createStorageWatch({
      ...{ root, dataDir: path, ...bounds },
      ...(index === 0 ? { onLooked: tell } : {}),
      onExceeded: (reason) => {
        state.endedFor = `its data directory, "${path}", is too full: ${reason}`
        void stopRun(site, run, 'SIGTERM', storageGraceMs)
      },
      onError: (error) =>
        site.warn('could not measure a data directory', { instance: nameOf(record), error: messageOf(error) }),
    })
    void run.ended.then(watch.stop)
  }
}

/** Without its way out an instance would fail requests one by one; a new start mends it. */
const endCutOff = async (site: Site, { spawned: { child }, record, group, state }: Run, how: string): Promise<void> => {
  if (state.isKilled || child.exitCode !== null || child.signalCode !== null) return
  state.endedFor = `its network was cut off (${how})`
  await endProcesses(site, record, group)
}

/** Sends the signal to the application, and SIGKILL to all that is left after `timeoutMs`; resolves when nothing is. */
export const stopRun = async (site: Site, run: Run, signal: NodeJS.Signals, timeoutMs: number): Promise<void> => {
  // What is frozen hears no signal but SIGKILL (version 2), or none at all (version 1).
  if (run.state.isFrozen) letGoOn(site, run)
  sendStop(run, signal)
  const timer = setTimeout(() => void killRun(site, run), Math.min(Math.max(timeoutMs, 0), 2 ** 31 - 1))
  await run.ended
  clearTimeout(timer)
}

/** One that cannot go on is killed when its time is over all the same: whoever stops it must not fail before that is sure. */
const letGoOn = ({ warn }: Site, run: Run): void => {
  try {
    setFrozen(run, false)
  } catch (error) {
    warn('could not thaw a run that is to end', { instance: nameOf(run.record), error: messageOf(error) })
  }
}

/** Holds every process of it still, or lets them go on; false where this machine has no means for that, or the launcher ends it. */
export const setFrozen = ({ group, state }: Run, isFrozen: boolean): boolean => {
  // A server that was taken over could hold up the end again and again: in version 1 what is frozen does not die.
  if (isFrozen && (state.isKilled || state.endedFor !== null)) return false
  const isDone = group.cgroup?.setFrozen(isFrozen) ?? false
  if (isDone) state.isFrozen = isFrozen
  return isDone
}

const sendStop = ({ spawned, group, depth }: Run, signal: NodeJS.Signals): void => {
  const application = depth > 0 ? descendantOf(spawned.pid, depth) : undefined
  // Before the application exists, and after it ended, there is only the program that was started.
  if (application === undefined) spawned.child.kill(signal)
  else signalMember(application, constants.signals[signal], group)
}

export const killRun = async (site: Site, { group, record, state, ended }: Run): Promise<void> => {
  state.isKilled = true
  await endProcesses(site, record, group)
  await ended
}
