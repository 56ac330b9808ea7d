// The runs alive, by name, and what a request of the server may do with one. Knows nothing of phases or requests; how a run
// starts, lives and ends is told by startRun.ts, liveRun.ts and endRun.ts.
import { setTimeout as delay } from 'node:timers/promises'
import { endProcesses } from './endRun.ts'
import { isReadable } from './libc.ts'
import { attend, killRun, setFrozen, stopRun } from './liveRun.ts'
import type { RunNetwork } from './networks.ts'
import { watchMemoryKills } from './outOfMemory.ts'
import { requireOwnUid } from './ownUid.ts'
import { checkLaunch, Refused } from './policy.ts'
import type { Exited, RunRecord, Stored } from './protocol.ts'
import type { LaunchRequest, Run, Site } from './run.ts'
import { draftOf, type Starting, startRun } from './startRun.ts'

export interface Runs {
  /** Resolves when the program executes; rejects, leaving nothing behind, with Refused or why it could not. */
  launch(request: LaunchRequest): Promise<Pick<RunRecord, 'pid' | 'startedAtMs' | 'attestation'>>
  /** Sends the signal to the application, and SIGKILL to all that is left after `timeoutMs`; resolves when nothing is. */
  stop(run: string, signal: string, timeoutMs: number): Promise<void>
  /** Holds every process of it still, or lets them go on; false where this machine has no means for that. */
  setFrozen(run: string, isFrozen: boolean): boolean
  note(run: string, note: unknown): void
  /** Where connections to it are opened; throws Refused where that is the machine's own network. */
  networkOf(run: string): { readonly network: RunNetwork; readonly port: number }
  /** Whether connections to the inherited socket are being accepted: none waits in the kernel. */
  isAccepting(run: string): boolean
  watch(run: string, isOn: boolean): void
  hasUid(uid: number): boolean
  list(): RunRecord[]
  /** Kills everything at once, and refuses every launch from then on; resolves when nothing is left. */
  killAll(): Promise<void>
}

export interface RunsOptions extends Site {
  readonly onExit: (exited: Exited) => void
  readonly onLines: (run: string, lines: readonly string[]) => void
  readonly onStored: (run: string, stored: Stored) => void
}

const stopSignals = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGKILL'] as const

const parseSignal = (text: string): (typeof stopSignals)[number] => {
  const signal = stopSignals.find((each) => each === text)
  if (signal === undefined) throw new Refused(`"${text}" is no signal that ends an instance`)
  return signal
}

const storedIn = ({ stored }: Run['state']): Pick<RunRecord, 'stored'> => (stored === undefined ? {} : { stored })

export const createRuns = ({ onExit, onLines, onStored, ...site }: RunsOptions): Runs => {
  const runs = new Map<string, Run>()
  /** Launches between their check and the existence of a process: they count as alive, or two could take one uid. */
  const launching = new Map<string, Starting>()
  /** Everything is being killed: what was started now would outlive the launcher. */
  const closed = new AbortController()
  const listeners = {
    onLines,
    onStored,
    onExit: (exited: Exited): void => {
      runs.delete(exited.run)
      onExit(exited)
    },
    wasOutOfMemory: watchMemoryKills(),
  }

  const find = (name: string): Run => {
    const run = runs.get(name)
    if (run === undefined) throw new Refused(`there is no run "${name}"`)
    return run
  }

  const alive = (): RunRecord[] => [...runs.values(), ...launching.values()].map(({ record }) => record)

  const launch = async (request: LaunchRequest): Promise<RunRecord> => {
    const { run } = request
    if (closed.signal.aborted) throw new Refused('the launcher is ending')
    checkLaunch(site.policy, request, alive())
    requireOwnUid(site.policy, request)
    const starting: Starting = { record: draftOf(request), abandoned: closed.signal }
    launching.set(run, starting)
    try {
      const started = await startRun(site, request, starting)
      runs.set(run, attend(site, request, started, listeners))
      return started.record
    } finally {
      launching.delete(run)
    }
  }

  return {
    launch: async (request) => {
      const { pid, startedAtMs, attestation } = await launch(request)
      return { pid, startedAtMs, ...(attestation === undefined ? {} : { attestation }) }
    },
    stop: async (name, signal, timeoutMs) => {
      const run = find(name)
      const toSend = parseSignal(signal)
      if (toSend === 'SIGKILL') return killRun(site, run)
      await stopRun(site, run, toSend, timeoutMs)
    },
    setFrozen: (name, isFrozen) => setFrozen(find(name), isFrozen),
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
    list: () => [...runs.values()].map(({ record, state }) => ({ ...record, ...storedIn(state), note: state.note })),
    killAll: async () => {
      closed.abort(new Refused('the launcher is ending'))
      while (runs.size + launching.size > 0) {
        const starts = [...launching.values()].flatMap(({ group, record }) =>
          group === undefined ? [] : [endProcesses(site, record, group)],
        )
        await Promise.all([...[...runs.values()].map((run) => killRun(site, run)), ...starts])
        // A start has no process yet, or has not yet heard of its end.
        if (launching.size > 0) await delay(1)
      }
    },
  }
}
