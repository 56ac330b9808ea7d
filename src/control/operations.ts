// What can be asked of a running tenement: the control API serves exactly this, and nothing else reaches it.
import type { InstanceName } from '../names.ts'
import type { Account } from './account.ts'

/** Every phase an instance can be in, in the order of its life. */
export const phases = [
  'asleep',
  'queued',
  'starting',
  'ready',
  'frozen',
  'draining',
  'stopping',
  'backoff',
  'crashlooped',
  'paused',
  'disabled',
] as const

export type Phase = (typeof phases)[number]

/** Who or what had an instance started. 'crash': its last run failed and it is tried again; 'takeover': an earlier server started it. */
export const wakers = ['request', 'operator', 'autostart', 'crash', 'takeover'] as const

export type Waker = (typeof wakers)[number]

/** The last wake by its steps, in milliseconds of a clock that nobody sets; null for a step that is not over. */
export interface LastWake {
  /** When it began, RFC 3339. */
  readonly at: string
  readonly cause: Waker
  /** Until it was its turn to start. */
  readonly queueMs: number | null
  /** From there until its process existed, confined as planned. */
  readonly spawnMs: number | null
  /** From there until it could serve. */
  readonly readyMs: number | null
  /** From letting in the request that was answered first to the head of that answer. */
  readonly firstByteMs: number | null
}

/** One instance, as `ps` and `status` show it. Times are RFC 3339, durations milliseconds, sizes bytes. */
export interface InstanceStatus {
  readonly instance: string
  readonly service: string
  readonly id: string
  readonly phase: Phase
  /** The host a client asks for, with the port when it is not the scheme's own: 'alice.notes.localhost:8080'. */
  readonly address: string
  /** Where the instance was declared: in tenement.toml, by `tenement add`, or by a first request to an open service. */
  readonly source: 'config' | 'added' | 'open'
  readonly isolation: string
  /** The seccomp profile it runs under: the name of a shipped one or a file; null where its system calls are not filtered. */
  readonly seccomp: string | null
  /** What its filter refused it; null where its system calls are not filtered. */
  readonly blocked: BlockedCalls | null
  /** Why this machine cannot run its service, which is then not started; null where it can. */
  readonly refused: string | null
  readonly pid: number | null
  readonly uid: number | null
  readonly startedAt: string | null
  readonly uptimeMs: number | null
  /** Since the last lease ended; null while leased or not running. */
  readonly idleMs: number | null
  /** Requests and upgraded connections being served now. */
  readonly active: number
  readonly requests: number
  /** Starts after the first that followed a crash. */
  readonly restarts: number
  readonly memoryBytes: number | null
  /** How full its data is, as of the last look; null while it does not run, and where it has no storage_max. */
  readonly storage: StorageStatus | null
  readonly dataDir: string
  readonly logFile: string
  /** What the kernel reported of its confinement before it ran; null while it does not run, and where its isolation promises no such look. */
  readonly attestation: AttestationRecord | null
  /** Null when this server has not woken it yet, as after taking it over from an earlier one. */
  readonly lastWake: LastWake | null
  /** Why it last stopped, in a sentence; null when it never ran. */
  readonly lastStop: string | null
  readonly lastExit: LastExit | null
  /** When the next start may be tried, in backoff or crashlooped. */
  readonly nextAttemptAt: string | null
}

/** How its last process ended; `code` is null when a signal ended it. */
export interface LastExit {
  readonly at: string
  readonly code: number | null
  readonly signal: string | null
  readonly outOfMemory: boolean
  /** How often the kernel refused it a further process or thread, for the bound on their number. */
  readonly refusedForks: number
  /** Whether its data had reached the quota that the file system holds it to, so that writes failed. */
  readonly outOfStorage: boolean
}

export interface StorageStatus {
  readonly bytes: number
  readonly files: number
  readonly maxBytes: number
  readonly maxFiles: number
  /** 'escapable': the file system refuses more to whoever does not take its files out of the project, as this instance could. */
  readonly quota: 'enforced' | 'escapable' | 'absent'
  /** Whether further writes fail, or nearly all do. */
  readonly isFull: boolean
  /** Longest time until more than the bound is seen by looking. */
  readonly reactsWithinMs: number
}

/** How often each system call was refused, by name, since it was started; or why that cannot be told. */
export interface BlockedCalls {
  readonly counts: Readonly<Record<string, number>> | null
  readonly absent: string | null
}

/** What was found of one launch, by capability: 'pid.private' → 'pid:[4026532301]'. */
export interface AttestationRecord {
  readonly at: string
  readonly found: Readonly<Record<string, string>>
}

/** What remove did: where the data is, or was when `purged`. */
export interface Removal {
  readonly purged: boolean
  readonly dataDir: string
}

/** The start of an instance that waits for its tracer. */
export interface TracedStart {
  /** Names the start: the launcher's record of it tells which process is held. */
  readonly run: string
}

/** Every operation rejects with a TenementError: 'unknown_instance', 'unknown_service', 'already_exists', … */
export interface Operations {
  list(): readonly InstanceStatus[]
  /** 'service:id' of every instance that `list` has, in its order. */
  names(): readonly string[]
  status(name: InstanceName): InstanceStatus
  /** What brought an instance into its phase, and what happens next. */
  why(name: InstanceName): Account
  add(name: InstanceName): Promise<InstanceStatus>
  /** Stops it and forgets it; its data stays unless `purge`. */
  remove(name: InstanceName, options: { readonly purge: boolean }): Promise<Removal>
  /** Resolves when it is ready. */
  wake(name: InstanceName): Promise<InstanceStatus>
  /** Resolves when every process of it is gone. */
  stop(name: InstanceName): Promise<InstanceStatus>
  /** Begins to start an instance, and has it held before its first instruction until somebody traces it. With `restart` one that runs is stopped first. */
  trace(name: InstanceName, options: { readonly restart: boolean }): Promise<TracedStart>
  restart(name: InstanceName): Promise<InstanceStatus>
  enable(name: InstanceName): Promise<InstanceStatus>
  disable(name: InstanceName): Promise<InstanceStatus>
  /** Resolves when every process of it is gone; requests are held from then on, until `resume`. */
  pause(name: InstanceName): Promise<InstanceStatus>
  resume(name: InstanceName): Promise<InstanceStatus>
}
