// What `status` prints: one instance as lines of `key: value`, and how it last ended. Pure; the time is an argument.
import { visible } from '../config/problem.ts'
import type { AttestationRecord, InstanceStatus, LastExit, LastWake, StorageStatus } from '../control/operations.ts'
import { phaseCell } from './formatInstances.ts'
import { formatBytes, formatDuration } from './formatUnits.ts'
import type { Paint } from './terminal.ts'

const sources = {
  config: 'declared in tenement.toml',
  added: 'added by "tenement add"',
  open: 'made by a request to an open service',
} as const

/** How a process ended: 'exit code 3', 'SIGKILL, out of memory', 'exit code 1, refused 12 processes or threads'. */
export const formatExit = ({ code, signal, outOfMemory, refusedForks, outOfStorage }: LastExit): string => {
  const how = signal ?? (code === null ? 'unknown' : `exit code ${code}`)
  return [
    how,
    ...(outOfMemory ? ['out of memory'] : []),
    ...(refusedForks > 0
      ? [`refused ${refusedForks} ${refusedForks === 1 ? 'process or thread' : 'processes or threads'}`]
      : []),
    ...(outOfStorage ? ['its data at storage_max'] : []),
  ].join(', ')
}

/** 'queue 0.1ms, spawn 41ms, ready 262.5ms, first byte 9ms, for a request (2026-…)'; a step that is not over is left out. */
const formatWake = ({ at, cause, queueMs, spawnMs, readyMs, firstByteMs }: LastWake, nowMs: number): string => {
  const steps = Object.entries({ queue: queueMs, spawn: spawnMs, ready: readyMs, 'first byte': firstByteMs })
  const told = steps.flatMap(([step, ms]) => (ms === null ? [] : [`${step} ${ms.toFixed(1)}ms`]))
  return `${[...told, wokenFor[cause]].join(', ')} (${ago(at, nowMs)})`
}

const wokenFor = {
  request: 'for a request',
  operator: 'for an operator',
  autostart: 'without being asked for',
  crash: 'to try again after a crash',
  takeover: 'by an earlier server',
} as const

/** How full its data is, and who keeps it from being fuller. */
const formatStorage = ({ bytes, files, maxBytes, maxFiles, quota, isFull, reactsWithinMs }: StorageStatus): string => {
  const looked = `looked at again within ${formatDuration(reactsWithinMs, 2)}`
  const kept = {
    enforced: 'kept by the file system',
    escapable: `kept by the file system unless it works against that, ${looked}`,
    absent: looked,
  } as const
  const full = isFull ? [quota === 'absent' ? 'full' : 'full: writes fail'] : []
  return [
    `${formatBytes(bytes)} of ${formatBytes(maxBytes)}`,
    `${files} of ${maxFiles} files`,
    ...full,
    kept[quota],
  ].join(', ')
}

/** That its confinement was looked at, and how closely; what was found is behind --json. */
const formatAttestation = ({ at, found }: AttestationRecord): string =>
  `${at}, ${Object.keys(found).length} facts as planned`

const ago = (at: string, nowMs: number): string => {
  const ms = nowMs - Date.parse(at)
  return Number.isFinite(ms) && ms >= 0 ? `${at}, ${formatDuration(ms, 2)} ago` : at
}

const ahead = (at: string, nowMs: number): string => {
  const ms = Date.parse(at) - nowMs
  return Number.isFinite(ms) && ms > 0 ? `${at}, in ${formatDuration(ms, 2)}` : `${at}, with the next request`
}

const isText = (pair: readonly [string, string | null]): pair is readonly [string, string] => pair[1] !== null

const pairsOf = (
  status: InstanceStatus,
  nowMs: number,
  paint: Paint,
): readonly (readonly [string, string | null])[] => {
  const { text, style } = phaseCell(status.phase)
  const { lastExit, pid, uptimeMs, idleMs, memoryBytes, nextAttemptAt, startedAt } = status
  return [
    ['instance', paint('bold', status.instance)],
    ['phase', style ? paint(style, text) : text],
    ['address', visible(status.address)],
    ['source', sources[status.source]],
    ['isolation', visible(status.isolation)],
    ['seccomp', status.seccomp && visible(status.seccomp)],
    ['refused', status.refused && visible(status.refused)],
    ['attested', status.attestation && visible(formatAttestation(status.attestation))],
    ['pid', pid === null ? null : String(pid)],
    ['uid', status.uid === null ? null : String(status.uid)],
    ['started', startedAt && visible(startedAt)],
    ['uptime', uptimeMs === null ? null : formatDuration(uptimeMs, 2)],
    ['idle', idleMs === null ? null : formatDuration(idleMs, 2)],
    ['active', String(status.active)],
    ['requests', String(status.requests)],
    ['restarts', String(status.restarts)],
    ['memory', memoryBytes === null ? null : formatBytes(memoryBytes)],
    ['storage', status.storage && formatStorage(status.storage)],
    ['last wake', status.lastWake && visible(formatWake(status.lastWake, nowMs))],
    ['last stop', status.lastStop && visible(status.lastStop)],
    ['last exit', lastExit && visible(`${formatExit(lastExit)} (${ago(lastExit.at, nowMs)})`)],
    ['next attempt', nextAttemptAt && visible(ahead(nextAttemptAt, nowMs))],
    ['data', visible(status.dataDir)],
    ['log', visible(status.logFile)],
  ]
}

const steps: Readonly<Partial<Record<InstanceStatus['phase'], (instance: string) => string>>> = {
  backoff: (instance) => `tenement logs ${instance}`,
  crashlooped: (instance) => `tenement logs ${instance}, then tenement enable ${instance}`,
  paused: (instance) => `tenement resume ${instance}`,
  disabled: (instance) => `tenement enable ${instance}`,
  asleep: (instance) => `a request wakes it, or: tenement wake ${instance}`,
}

const failing: readonly InstanceStatus['phase'][] = ['backoff', 'crashlooped']

const quoted = (text: string): string => (/^[\w./-]+$/.test(text) ? text : JSON.stringify(text))

/** A program cannot say that a filter refused it: all it sees is an errno, in the words of the C library. */
const filterHint = (instance: string, profile: string): string =>
  `where it says "Operation not permitted" or "Function not implemented", its seccomp profile may have refused a system call: tenement trace ${instance} tells which, tenement seccomp explain ${visible(quoted(profile))} why`

const storageHint = 'its data is full: have it remove what it does not need, or raise storage_max'

const stepsFor = (status: InstanceStatus): readonly (string | undefined)[] => {
  const { instance, phase, refused, seccomp, storage, lastExit } = status
  if (refused !== null) return ['tenement check']
  const isExplained = lastExit !== null && (lastExit.outOfMemory || lastExit.refusedForks > 0 || lastExit.outOfStorage)
  const isHinted = failing.includes(phase) && seccomp !== null && !isExplained
  const isFull = storage?.isFull === true || (failing.includes(phase) && lastExit?.outOfStorage === true)
  return [
    isFull ? storageHint : undefined,
    steps[phase]?.(instance),
    isHinted ? filterHint(instance, seccomp) : undefined,
  ]
}

/** The block of `status`; a key that means nothing in this phase is left out. `nowMs` counts from the epoch. */
export const formatStatus = (status: InstanceStatus, nowMs: number, paint: Paint): string => {
  const pairs = pairsOf(status, nowMs, paint).filter(isText)
  const width = Math.max(...pairs.map(([key]) => key.length)) + 1
  const lines = pairs.map(([key, value]) => `${`${key}:`.padEnd(width)} ${value}`)
  const next = stepsFor(status).filter((step) => step !== undefined)
  return [...lines, ...next.map((step) => `→ ${step}`)].join('\n')
}
