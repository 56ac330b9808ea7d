// Every message between launcher and server, and nothing else. Both sides import it, so it stays free of behaviour.
// The server is not trusted: the launcher parses each request (parseRequest.ts) before it acts on it.
import type { Attestation, Floor, Launch } from '../isolation/adapter.ts'

/** What the launcher is told once, before it starts; nothing the server says later changes it. */
export interface LauncherSettings {
  readonly policy: Policy
  readonly listen: readonly ListenAddress[]
  /** Where the server tells its metrics; a loopback address. */
  readonly metrics?: ListenAddress
  /** Milliseconds that stopping everything in order may take; what is left then is killed. */
  readonly endTimeoutMs: number
  /** File of the server program, and what it needs to know: passed on without being read. */
  readonly serverFile: string
  readonly server: unknown
}

/** What the launcher allows, whatever the server asks. Directories are absolute and without symlinks. */
export interface Policy {
  readonly runDir: string
  readonly logDir: string
  readonly stateDir: string
  /** Directories below which data directories may be made and purged. */
  readonly dataRoots: readonly string[]
  /** Those of them whose file system kept project quotas when tenement started: what has a bound there is held to it, or not started. */
  readonly quotaRoots?: readonly string[]
  /** Where instances of each service keep their data: the parts of the path between which the id stands. */
  readonly dataDirs: Readonly<Record<string, readonly string[]>>
  /** Directories a program may be started in, and what each is bound to when a tenant could not reach it by path. */
  readonly codeDirs: readonly CodeDir[]
  /** What each service was granted beyond its code and data. */
  readonly grants: Readonly<Record<string, Grants>>
  /** Services whose launches may begin as root: those of a plug-in that the config calls privileged. */
  readonly privileged?: readonly string[]
  /**
   * The least that launches of a service come with, by its name, or by 'service:id' for a tenant with a floor of its own. A service
   * that is not here is not launched.
   */
  readonly floors: Readonly<Record<string, Floor>>
  /** First and last uid tenants run as; absent when the launcher is not root. */
  readonly tenantUids?: { readonly first: number; readonly last: number }
  /** Whom the server runs as; absent when the launcher is not root. */
  readonly serverIdentity?: { readonly uid: number; readonly gid: number }
  /** Group that may use the control socket beside root and the owner. */
  readonly controlGid?: number
  readonly log: { readonly maxBytes: number; readonly files: number; readonly bytesPerSecond: number }
}

export interface CodeDir {
  readonly path: string
  /** A place below runDir where tenants find `path`, when they could not open it where it is. */
  readonly boundAt?: string
}

export interface Grants {
  readonly read: readonly CodeDir[]
  readonly write: readonly CodeDir[]
  /** File by name of the secret. */
  readonly secrets: Readonly<Record<string, string>>
}

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** How a run ended. */
export interface RunExit {
  /** Exit code of the main process; null when a signal ended it. */
  readonly code: number | null
  /** Name of the signal that ended the main process, as in 'SIGKILL'; null when it exited by itself. */
  readonly signal: string | null
  /** True when the kernel ended it for want of memory. */
  readonly outOfMemory: boolean
  /** How often the kernel refused it a further process or thread, for the bound on their number. */
  readonly refusedForks: number
  /** Whether its data had reached the quota that the file system holds it to, so that writes failed. */
  readonly outOfStorage: boolean
  /** Why the launcher ended it of its own accord, such as a data directory that is too full; null where it did not. */
  readonly endedFor: string | null
  /** The last lines it wrote, oldest first; at most 20. */
  readonly lastLines: readonly string[]
}

/** What a run with a bound on its data stores, as of the last look. */
export interface Stored {
  readonly bytes: number
  readonly files: number
  readonly maxBytes: number
  readonly maxFiles: number
  /** 'escapable': the file system refuses more to whoever does not take its files out of the project, as this instance could. */
  readonly quota: 'enforced' | 'escapable' | 'absent'
  /** Whether further writes fail, or nearly all do. */
  readonly isFull: boolean
  /** Longest time, in milliseconds, until more than the bound is seen by looking. */
  readonly reactsWithinMs: number
}

/** A run as the launcher remembers it for a later server. */
export interface RunRecord {
  readonly run: string
  readonly service: string
  readonly id: string
  readonly pid: number
  readonly startedAtMs: number
  readonly launch: Pick<Launch, 'identity' | 'privileged' | 'reach'>
  /** What the kernel reported of it before the application ran; absent where nothing was expected. */
  readonly attestation?: Attestation
  /** Absent where it has no bound, and before the first look ended. */
  readonly stored?: Stored
  /** Whatever the server last noted; the launcher never reads it. */
  readonly note: unknown
}

/** What the server may ask. Each request is answered by one Reply with its number. */
export type Request =
  | {
      readonly type: 'launch'
      readonly run: string
      readonly service: string
      readonly id: string
      readonly launch: Launch
      readonly watch: boolean
      readonly note: unknown
      /** Let go only once somebody traces its first process; needs a gate. */
      readonly isTraced?: boolean
      /** May be frozen later: it is kept so that this can be done, where the machine can. */
      readonly isFreezable?: boolean
    }
  | { readonly type: 'stop'; readonly run: string; readonly signal: string; readonly timeoutMs: number }
  /** Holds every process of a run still, or lets them go on. */
  | { readonly type: 'freeze'; readonly run: string; readonly on: boolean }
  | { readonly type: 'note'; readonly run: string; readonly note: unknown }
  | { readonly type: 'accepting'; readonly run: string }
  | { readonly type: 'watch'; readonly run: string; readonly on: boolean }
  /** Opens a connection inside the network namespace of a run; the socket comes over the hand-over socket, with the number of this request. */
  | { readonly type: 'connect'; readonly run: string }
  | { readonly type: 'purge'; readonly path: string; readonly identity: Launch['identity'] }
  /** The server serves: from now on its end is a fault to be mended by another start. */
  | { readonly type: 'up' }

export type ToLauncher = Request & { readonly request: number }

/** What each request resolves with. */
export interface Results {
  launch: { readonly pid: number; readonly startedAtMs: number; readonly attestation?: Attestation }
  stop: null
  /** False where this machine has no means for it. */
  freeze: boolean
  note: null
  accepting: boolean
  watch: null
  connect: null
  /** False when there was nothing to purge. */
  purge: boolean
  up: null
}

export type ToServer =
  | {
      readonly type: 'hello'
      readonly settings: LauncherSettings
      readonly listeners: readonly number[]
      readonly controlListener: number
      /** Absent where metrics are told on the control socket alone. */
      readonly metricsListener?: number
      /** The unix socket over which connected sockets come (SCM_RIGHTS). */
      readonly handOver: number
      readonly runs: readonly RunRecord[]
      readonly exits: readonly Exited[]
      /** How many servers this launcher had before. */
      readonly earlierServers: number
    }
  | { readonly type: 'reply'; readonly request: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly request: number; readonly code: 'refused' | 'failed'; readonly message: string }
  | { readonly type: 'stored'; readonly run: string; readonly stored: Stored }
  | { readonly type: 'output'; readonly run: string; readonly lines: readonly string[] }
  | { readonly type: 'end' }
  | Exited

export interface Exited {
  readonly type: 'exited'
  /** What the server had last noted: whether it was stopping the run itself. */
  readonly note: unknown
  readonly run: string
  readonly service: string
  readonly id: string
  readonly exit: RunExit
}

/** Exit code of a server that another start would not help: its state or its config cannot be used. */
export const hopelessExit = 78
