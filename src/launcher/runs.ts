// The runs alive: started, watched, stopped, and reported once when the last process of each is gone. Knows nothing of
// phases or requests; it does what a request of the server says, within the policy.
import { once } from 'node:events'
import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Cgroups } from '../cgroups/cgroups.ts'
import type { RunCgroup } from '../cgroups/runCgroup.ts'
import { messageOf } from '../errors.ts'
import type { Attestation } from '../isolation/adapter.ts'
import { confine } from './confine.ts'
import { isReadable, unmount } from './libc.ts'
import { openLogFile } from './logFile.ts'
import type { Networks, RunNetwork } from './networks.ts'
import { watchMemoryKills } from './outOfMemory.ts'
import { type Output, readOutput } from './output.ts'
import { checkLaunch, ownSocketDir, Refused } from './policy.ts'
import { type PreparedNetwork, prepareNetwork } from './prepareNetwork.ts'
import { descendantOf, endGroup, type Group, signalMember } from './processes.ts'
import type { Exited, Policy, Request, RunExit, RunRecord } from './protocol.ts'
import { purgeDirectory } from './purge.ts'
import { groupOf, removeRecord, writeRecord } from './records.ts'
import { rootOf } from './safePath.ts'
import { type Spawned, spawnLaunch } from './spawn.ts'
import { createStorageWatch } from './storage/watch.ts'

type LaunchRequest = Extract<Request, { type: 'launch' }>

/** How a run is ended whole. */
type RunGroup = Group & { readonly cgroup: RunCgroup | undefined }

interface Parts {
  readonly record: RunRecord
  readonly spawned: Spawned
  readonly output: Output
  readonly group: RunGroup
  /** How many processes lie between the program that was started and the application, which gets the stop signal. */
  readonly depth: number
  /** Its own network, where connections are opened in it or it leads out. */
  readonly network: PreparedNetwork | undefined
  /** `isKilled`: SIGKILL was sent from here, so that it says nothing about memory. */
  readonly state: { note: unknown; isKilled: boolean; endedFor: string | null }
}

interface Run extends Parts {
  /** Resolves when the last process is gone and the exit was reported. */
  readonly ended: Promise<void>
}

export interface Runs {
  /** Resolves when the program executes; rejects, leaving nothing behind, with Refused or why it could not. */
  launch(request: LaunchRequest): Promise<{ readonly pid: number; readonly startedAtMs: number }>
  /** Sends the signal to the process started, and SIGKILL to all that is left after `timeoutMs`; resolves when nothing is. */
  stop(run: string, signal: string, timeoutMs: number): Promise<void>
  note(run: string, note: unknown): void
  /** Where connections to it are opened; throws Refused where that is the machine's own network. */
  networkOf(run: string): { readonly network: RunNetwork; readonly port: number }
  /** Whether connections to the inherited socket are being accepted: none waits in the kernel. */
  isAccepting(run: string): boolean
  watch(run: string, isOn: boolean): void
  hasUid(uid: number): boolean
  list(): RunRecord[]
  /** Kills everything at once; resolves when nothing is left. */
  killAll(): Promise<void>
}

export interface RunsOptions {
  readonly policy: Policy
  readonly networks: Networks
  /** Whether a directory for sockets can be a small file system of its own, in which no symlink is followed. */
  readonly canMount: boolean
  readonly cgroups: Cgroups
  readonly onExit: (exited: Exited) => void
  readonly onLines: (run: string, lines: readonly string[]) => void
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** Milliseconds that an instance has to end in order when its data directory is too full. */
const storageGraceMs = 5_000

const isBounded = ({ resources }: LaunchRequest['launch']): boolean => Object.keys(resources).length > 0

const stopSignals = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGKILL'] as const

const parseSignal = (text: string): (typeof stopSignals)[number] => {
  const signal = stopSignals.find((each) => each === text)
  if (signal === undefined) throw new Refused(`"${text}" is no signal that ends an instance`)
  return signal
}

const nameOf = ({ service, id }: RunRecord): string => `${service}:${id}`

export const createRuns = ({ policy, networks, canMount, cgroups, onExit, onLines, warn }: RunsOptions): Runs => {
  const runs = new Map<string, Run>()
  /** Launches between their check and the existence of a process: they count as alive, or two could take one uid. */
  const launching = new Map<string, { readonly record: RunRecord; group?: RunGroup }>()
  const wasOutOfMemory = watchMemoryKills()

  const find = (name: string): Run => {
    const run = runs.get(name)
    if (run === undefined) throw new Refused(`there is no run "${name}"`)
    return run
  }

  const alive = (): RunRecord[] => [...runs.values(), ...launching.values()].map(({ record }) => record)

  const launch = async (request: LaunchRequest): Promise<RunRecord> => {
    const { run, service, id, note } = request
    checkLaunch(policy, request, alive())
    const { identity, reach } = request.launch
    const draft: RunRecord = { run, service, id, pid: 0, startedAtMs: Date.now(), launch: { identity, reach }, note }
    launching.set(run, { record: draft })
    let cgroup: RunCgroup | undefined
    try {
      // Before there is a pid: should the launcher die in between, the next one knows the uid whose processes it has to end.
      if (identity !== undefined) keepRecord(draft, undefined, groupOf(run, 0, identity.uid))
      if (isBounded(request.launch)) cgroup = cgroups.make(run, request.launch.resources)
      const spawned = await spawnLaunch({ policy, canMount, cgroup }, request)
      const { attestation, ...settled } = await settle(request, draft, spawned, cgroup)
      const record = { ...draft, pid: spawned.pid, ...(attestation === undefined ? {} : { attestation }) }
      begin(request, record, spawned, settled)
      return record
    } catch (error) {
      removeRecord(policy.runDir, run)
      await cgroup?.remove()
      throw error
    } finally {
      launching.delete(run)
    }
  }

  interface Settled {
    readonly group: RunGroup
    readonly network: PreparedNetwork | undefined
    readonly attestation: Attestation | undefined
  }

  /** From a process to an application in its confines; rejects when there is nothing left of it. */
  const settle = async (
    request: LaunchRequest,
    draft: RunRecord,
    spawned: Spawned,
    cgroup: RunCgroup | undefined,
  ): Promise<Settled> => {
    const { launch, run } = request
    const uid = launch.identity?.uid
    const starting = { record: draft, group: { ...groupOf(run, spawned.pid, uid), cgroup } }
    let network: PreparedNetwork | undefined
    const note = (): void => {
      launching.set(run, starting)
      keepRecord(draft, spawned.pid, starting.group)
    }
    note()
    if (spawned.gate === undefined) return { group: starting.group, network, attestation: undefined }
    try {
      const attestation = await confine(spawned, spawned.gate, launch, {
        onHeld: async (first) => {
          starting.group = { ...starting.group, first }
          note()
          network = await prepareNetwork(networks, first, launch, cgroup)
        },
        cgroup,
      })
      return { group: starting.group, network, attestation }
    } catch (error) {
      await end(starting.group, draft)
      for (const stream of [spawned.stdout, spawned.stderr]) stream.destroy()
      await cleanUp(draft, () => {
        network?.release()
        spawned.release()
      })
      throw error
    }
  }

  const keepRecord = (record: RunRecord, pid: number | undefined, group: Group): void => {
    try {
      writeRecord(policy.runDir, { run: record.run, pid, uid: record.launch.identity?.uid, first: group.first })
    } catch (error) {
      warn('could not record a run: a later launcher would not find it', {
        instance: nameOf(record),
        error: messageOf(error),
      })
    }
  }

  const begin = (
    request: LaunchRequest,
    record: RunRecord,
    spawned: Spawned,
    { group, network }: Pick<Settled, 'group' | 'network'>,
  ): void => {
    const { run } = record
    const {
      watch,
      launch: { depth },
    } = request
    const output = openOutput(record)
    if (watch) output.watch((lines) => onLines(run, lines))
    output.read(spawned.stdout, 'out')
    output.read(spawned.stderr, 'err')
    const state = { note: record.note, isKilled: false, endedFor: null }
    const parts: Parts = { record, spawned, output, group, depth, network, state }
    const entry: Run = { ...parts, ended: finish(parts) }
    runs.set(run, entry)
    watchStorage(request.launch, entry)
    void network?.uplink?.ended.then((how) => endCutOff(entry, how))
  }

  /** Without its way out an instance would fail requests one by one; a new start mends it. */
  const endCutOff = async ({ spawned: { child }, record, group, state }: Run, how: string): Promise<void> => {
    if (state.isKilled || child.exitCode !== null || child.signalCode !== null) return
    state.endedFor = `its network was cut off (${how})`
    await end(group, record)
  }

  const openOutput = ({ service, id }: RunRecord): Output =>
    readOutput({
      log: openLogFile({ logDir: policy.logDir, service, id, gid: policy.serverIdentity?.gid }, policy.log),
      bytesPerSecond: policy.log.bytesPerSecond,
      now: Date.now,
    })

  /** Tried until it is done: what was not ended would hold its uid and its data while the next start begins. */
  const end = async (group: RunGroup, record: RunRecord): Promise<void> => {
    for (;;) {
      try {
        // At one stroke where the machine can; what follows makes sure, and is all there is where it cannot.
        await group.cgroup?.kill()
        return await endGroup(group, (pids) => warn('processes survive SIGKILL', { instance: nameOf(record), pids }))
      } catch (error) {
        warn('could not end the processes of a run, trying again', {
          instance: nameOf(record),
          error: messageOf(error),
        })
        await delay(1_000)
      }
    }
  }

  /** Each directory of its own that lasts; one for sockets is bounded by its file system. */
  const watchStorage = ({ storage, directories, reach }: LaunchRequest['launch'], run: Run): void => {
    if (storage === undefined) return
    const { record, state } = run
    for (const { path } of directories.filter(({ owner }) => owner === 'tenant')) {
      if (reach.kind === 'unix' && path === ownSocketDir(policy, record.run)) continue
      const watch = createStorageWatch({
        root: rootOf(policy.dataRoots, path),
        dataDir: path,
        maxBytes: storage.bytes,
        maxFiles: storage.files,
        onExceeded: (reason) => {
          state.endedFor = `its data directory, "${path}", is too full: ${reason}`
          void stop(run, 'SIGTERM', storageGraceMs)
        },
        onError: (error) =>
          warn('could not measure a data directory', { instance: nameOf(record), error: messageOf(error) }),
      })
      void run.ended.then(watch.stop)
    }
  }

  const finish = async ({ record, spawned, output, group, depth, network, state }: Parts): Promise<void> => {
    const { code, signal } = await exitOf(spawned, depth)
    const wasKilledForMemory = wasOutOfMemory(signal)
    // Also after an exit of its own accord: what it left behind would hold its socket, its uid and its data.
    await end(group, record)
    await drain(spawned)
    const causes = group.cgroup?.causes()
    // Its own count is exact; the machine's tells only that somebody was killed for it.
    const outOfMemory = causes?.outOfMemory || (!state.isKilled && wasKilledForMemory)
    if (outOfMemory) output.remark('ended by the kernel for want of memory')
    await cleanUp(record, async () => {
      output.close()
      network?.release()
      spawned.release()
      await group.cgroup?.remove()
    })
    runs.delete(record.run)
    const exit: RunExit = {
      code,
      signal,
      outOfMemory,
      refusedForks: causes?.refusedForks ?? 0,
      endedFor: state.endedFor,
      lastLines: output.lastLines(),
    }
    const { run, service, id } = record
    onExit({ type: 'exited', run, service, id, note: state.note, exit })
  }

  /** Never rejects: whatever could not be cleaned up, the run has ended, and must be reported. */
  const cleanUp = async (record: RunRecord, release: () => void | Promise<void>): Promise<void> => {
    try {
      await release()
      if (record.launch.reach.kind === 'unix') await removeSocketDir(record)
      removeRecord(policy.runDir, record.run)
    } catch (error) {
      warn('could not clean up after a run', { instance: nameOf(record), error: messageOf(error) })
    }
  }

  const removeSocketDir = async ({ run, launch: { identity } }: RunRecord): Promise<void> => {
    const path = ownSocketDir(policy, run)
    if (canMount) unmount(path)
    await purgeDirectory(policy.runDir, path, identity)
  }

  const sendStop = ({ spawned, group, depth }: Run, signal: NodeJS.Signals): void => {
    const application = depth > 0 ? descendantOf(spawned.pid, depth) : undefined
    // Before the application exists, and after it ended, there is only the program that was started.
    if (application === undefined) spawned.child.kill(signal)
    else signalMember(application, constants.signals[signal], group)
  }

  const stop = async (run: Run, signal: NodeJS.Signals, timeoutMs: number): Promise<void> => {
    sendStop(run, signal)
    const timer = setTimeout(() => void kill(run), Math.min(Math.max(timeoutMs, 0), 2 ** 31 - 1))
    await run.ended
    clearTimeout(timer)
  }

  const kill = async ({ group, record, state, ended }: Run): Promise<void> => {
    state.isKilled = true
    await end(group, record)
    await ended
  }

  return {
    launch: async (request) => {
      const { pid, startedAtMs, attestation } = await launch(request)
      return { pid, startedAtMs, ...(attestation === undefined ? {} : { attestation }) }
    },
    stop: async (name, signal, timeoutMs) => {
      const run = find(name)
      const toSend = parseSignal(signal)
      if (toSend === 'SIGKILL') return kill(run)
      await stop(run, toSend, timeoutMs)
    },
    note: (name, note) => {
      find(name).state.note = note
    },
    networkOf: (name) => {
      const { network, record } = find(name)
      const { reach } = record.launch
      if (network === undefined || reach.kind !== 'port')
        throw new Refused(`run "${name}" has no network of its own that it listens in`)
      return { network: network.network, port: reach.port }
    },
    isAccepting: (name) => {
      const { listener } = find(name).spawned
      if (listener === undefined) throw new Refused(`run "${name}" inherited no socket`)
      return !isReadable(listener)
    },
    watch: (name, isOn) => find(name).output.watch(isOn ? (lines) => onLines(name, lines) : undefined),
    hasUid: (uid) => alive().some((each) => each.launch.identity?.uid === uid),
    list: () => [...runs.values()].map(({ record, state }) => ({ ...record, note: state.note })),
    killAll: async () => {
      const groups = [...launching.values()].flatMap(({ group, record }) =>
        group === undefined ? [] : [end(group, record)],
      )
      await Promise.all([...[...runs.values()].map(kill), ...groups])
    },
  }
}

const exitOf = async (
  { child }: Spawned,
  depth: number,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> => {
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
