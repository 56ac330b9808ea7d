// What the supervisor asks of whoever starts processes: one function, and the handle it resolves with.
// The supervisor never learns about adapters, uids or descriptors; the starter never learns about phases.
import type { Socket } from 'node:net'
import type { Service } from '../config/schema.ts'
import type { Attestation } from '../isolation/adapter.ts'
import type { RunExit, Stored } from '../launcher/protocol.ts'
import type { InstanceName } from '../names.ts'

/** How a process group ended. */
export type Exit = RunExit

/** What is written beside a process so that a restarted server finds it again in its true phase. */
export interface ProcessNote {
  readonly phase: 'starting' | 'ready' | 'frozen' | 'stopping'
  /** Milliseconds since the epoch at which it became ready. */
  readonly readyAtMs?: number
}

/** A started process group: one instance, one start. */
export interface Process {
  /** Names this start and no other. */
  readonly run: string
  readonly pid: number
  /** Host uid it runs as; undefined when that is tenement's own. */
  readonly uid: number | undefined
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number
  /** What the kernel reported of its confinement before it ran; absent where its isolation promises no such look. */
  readonly attestation?: Attestation
  /** How full its data is; undefined where it has no bound, or nobody has looked yet. */
  stored(): Stored | undefined
  /** Resolves when every process of the group is gone; never rejects. */
  readonly exited: Promise<Exit>
  /** Opens a connection to what the instance listens on; rejects when it does not accept. */
  connect(): Promise<Socket>
  /** For an inherited listening socket: whether the instance has begun to accept from it. Absent where a connection itself tells. */
  isAccepting?(): Promise<boolean>
  /** The lines it has written since it started, each passed once; returns how to stop watching. */
  watchOutput(onLine: (line: string) => void): () => void
  /** Ends the whole group: the service's stop signal, its stop_timeout, then SIGKILL. Resolves like `exited`. */
  stop(): Promise<Exit>
  /** Ends the whole group at once. Resolves like `exited`. */
  kill(): Promise<Exit>
  /** Holds the whole group still, or lets it go on. Resolves false where that cannot be done, or it has ended; never rejects. */
  setFrozen(isFrozen: boolean): Promise<boolean>
  /** Keeps a note with the process for a later server. */
  note(note: ProcessNote): void
}

/** Resolves once the process exists (not yet ready); rejects, leaving nothing behind, when it cannot be started. */
export type StartProcess = (name: InstanceName, service: Service) => Promise<Process>

/** A process an earlier server started, still alive. */
export interface Adopted {
  readonly name: InstanceName
  readonly process: Process
  readonly note: ProcessNote
}
