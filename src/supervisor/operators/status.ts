// An instance as `ps` and `status` show it. What it looks like in phases is known here, what it looks like on the machine
// (address, files, memory) is asked of functions.
import type { AttestationRecord, InstanceStatus } from '../../control/operations.ts'
import type { Attestation } from '../../isolation/adapter.ts'
import type { InstanceName } from '../../names.ts'
import { formatInstance } from '../../names.ts'
import type { Clock } from '../clock.ts'
import type { IdleWatch } from '../idle.ts'
import type { Instance } from '../instance.ts'
import { isUnused, runOf } from '../phases.ts'
import type { Exit } from '../process.ts'
import type { Source } from '../roster.ts'
import { nextTryInMs } from '../standing.ts'
import { notCounted } from './blocked.ts'

/** What the supervisor does not know of an instance. */
export interface Describe {
  /** The host a client asks for. */
  address(name: InstanceName): string
  dataDir(name: InstanceName): string
  logFile(name: InstanceName): string
  isolation(name: InstanceName): string
  /** Undefined where its system calls are not filtered. */
  seccomp(name: InstanceName): string | undefined
  /** Undefined where it cannot be told. */
  memoryBytes(name: InstanceName, pid: number): number | undefined
}

export interface StatusInputs {
  readonly name: InstanceName
  readonly source: Source
  /** Undefined for one that nobody asked for yet. */
  readonly instance: Instance | undefined
  /** Why this machine cannot run its service. */
  readonly refused: string | undefined
  readonly describe: Describe
  readonly clock: Clock
  readonly idle: IdleWatch
}

/** RFC 3339, of milliseconds since the epoch. */
export const timeOf = (ms: number): string => new Date(ms).toISOString()

/** What does not change from one phase to another. */
const fixed = ({ name, source, refused, describe }: StatusInputs) => ({
  instance: formatInstance(name),
  service: name.service,
  id: name.id,
  source,
  address: describe.address(name),
  isolation: describe.isolation(name),
  seccomp: describe.seccomp(name) ?? null,
  blocked: describe.seccomp(name) === undefined ? null : notCounted,
  refused: refused ?? null,
  dataDir: describe.dataDir(name),
  logFile: describe.logFile(name),
})

const running = ({ name, instance, describe, clock, idle }: StatusInputs) => {
  const run = instance === undefined ? undefined : runOf(instance.state)
  const process = run?.process
  const isIdle = instance !== undefined && isUnused(instance.state)
  return {
    pid: process?.pid ?? null,
    uid: process?.uid ?? null,
    startedAt: process === undefined ? null : timeOf(process.startedAtMs),
    uptimeMs: process === undefined ? null : Math.max(clock.wallMs() - process.startedAtMs, 0),
    idleMs: isIdle ? Math.round(idle.nowMs() - instance.lastUsedMs) : null,
    active: run?.active ?? 0,
    memoryBytes: process === undefined ? null : (describe.memoryBytes(name, process.pid) ?? null),
    storage: process?.stored() ?? null,
    attestation: process?.attestation === undefined ? null : recordOf(process.attestation),
  }
}

const recordOf = ({ atMs, found }: Attestation): AttestationRecord => ({ at: timeOf(atMs), found })

const past = ({ instance, clock }: StatusInputs) => {
  const { requests = 0, restarts = 0, lastStop, lastExit } = instance?.chronicle.history ?? {}
  const tryInMs = instance === undefined ? undefined : nextTryInMs(instance)
  return {
    requests,
    restarts,
    lastWake: instance?.chronicle.wake?.times ?? null,
    lastStop: lastStop ?? null,
    lastExit: lastExit === undefined ? null : { at: timeOf(lastExit.atMs), ...exitOf(lastExit.exit) },
    nextAttemptAt: tryInMs === undefined ? null : timeOf(clock.wallMs() + tryInMs),
  }
}

/** The members of an exit that are told. */
export const exitOf = ({ code, signal, outOfMemory, refusedForks, outOfStorage }: Exit) => ({
  ...{ code, signal, outOfMemory, refusedForks, outOfStorage },
})

export const statusOf = (inputs: StatusInputs): InstanceStatus => ({
  ...fixed(inputs),
  phase: inputs.instance?.state.phase ?? 'asleep',
  ...running(inputs),
  ...past(inputs),
})
