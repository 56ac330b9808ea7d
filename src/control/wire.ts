// The shapes that cross the control socket, each once: the type and how it is read from JSON. Both ends import it.
// The client reads answers strictly, so that a server of another version is named as such instead of half understood.
import { type Decoder, flag, list, nullable, number, object, oneOf, record, text } from './decode.ts'
import {
  type AttestationRecord,
  type BlockedCalls,
  type InstanceStatus,
  type LastExit,
  type LastWake,
  type Phase,
  phases,
  type Removal,
  type StorageStatus,
  type TracedStart,
  wakers,
} from './operations.ts'

/** About the running server itself, as GET /v1/server answers. */
export interface ServerStatus {
  readonly version: string
  readonly pid: number
  readonly startedAt: string
  readonly uptimeMs: number
  /** Absolute path of the config file it was started with. */
  readonly configFile: string
  /** Where it accepts connections of clients: '127.0.0.1:8080'. */
  readonly listen: readonly string[]
  readonly instances: number
  /** Instances with a process: starting, ready, frozen, draining or stopping. */
  readonly running: number
}

const streams = ['out', 'err', 'log'] as const

/** One line of an instance's log. */
export interface LogLine {
  /** RFC 3339; null for a line that carries no stamp, such as one written by hand. */
  readonly at: string | null
  /** 'out' and 'err' are the instance's own streams; 'log' is a remark of tenement's, such as "12 lines dropped". */
  readonly stream: (typeof streams)[number]
  /** Exactly what was written, where that is UTF-8; else with U+FFFD for what is not. */
  readonly text: string
  /** The bytes that were written, in base64, where `text` could not hold them; else null. */
  readonly base64: string | null
}

/** Something that happened to an instance, as GET /v1/events tells it. */
export interface InstanceEvent {
  /** For Last-Event-ID; of this server alone. */
  readonly id: string
  /** 'phase': it went from one to another. 'end': its last process is gone, or never came to be. */
  readonly kind: (typeof eventKinds)[number]
  readonly instance: string
  readonly service: string
  /** The phase it is in now; for an end the one it was in. */
  readonly phase: Phase
  readonly before: Phase | null
  readonly why: string | null
  readonly at: string
  readonly pid: number | null
}

const eventKinds = ['phase', 'end'] as const

export const instanceEvent: Decoder<InstanceEvent> = object({
  id: text,
  kind: oneOf(eventKinds),
  instance: text,
  service: text,
  phase: oneOf(phases),
  before: nullable(oneOf(phases)),
  why: nullable(text),
  at: text,
  pid: nullable(number),
})

export const lastExit: Decoder<LastExit> = object({
  at: text,
  code: nullable(number),
  signal: nullable(text),
  outOfMemory: flag,
  refusedForks: number,
  outOfStorage: flag,
})

const storage: Decoder<StorageStatus> = object({
  bytes: number,
  files: number,
  maxBytes: number,
  maxFiles: number,
  quota: oneOf(['enforced', 'escapable', 'absent'] as const),
  isFull: flag,
  reactsWithinMs: number,
})

const attestation: Decoder<AttestationRecord> = object({ at: text, found: record(text) })

const blockedCalls: Decoder<BlockedCalls> = object({ counts: nullable(record(number)), absent: nullable(text) })

const lastWake: Decoder<LastWake> = object({
  at: text,
  cause: oneOf(wakers),
  queueMs: nullable(number),
  spawnMs: nullable(number),
  readyMs: nullable(number),
  firstByteMs: nullable(number),
})

export const instanceStatus: Decoder<InstanceStatus> = object({
  instance: text,
  service: text,
  id: text,
  phase: oneOf(phases),
  address: text,
  source: oneOf(['config', 'added', 'open'] as const),
  isolation: text,
  seccomp: nullable(text),
  blocked: nullable(blockedCalls),
  refused: nullable(text),
  pid: nullable(number),
  uid: nullable(number),
  startedAt: nullable(text),
  uptimeMs: nullable(number),
  idleMs: nullable(number),
  active: number,
  requests: number,
  restarts: number,
  memoryBytes: nullable(number),
  storage: nullable(storage),
  dataDir: text,
  logFile: text,
  attestation: nullable(attestation),
  lastWake: nullable(lastWake),
  lastStop: nullable(text),
  lastExit: nullable(lastExit),
  nextAttemptAt: nullable(text),
})

/** Every name there is, as GET /v1/names answers: what completing and suggesting need, at a hundredth of the size of the list. */
export const nameList: Decoder<{ readonly names: readonly string[] }> = object({ names: list(text) })

export const instanceList: Decoder<{ readonly instances: readonly InstanceStatus[] }> = object({
  instances: list(instanceStatus),
})

export const tracedStart: Decoder<TracedStart> = object({ run: text })

export const removal: Decoder<Removal> = object({ purged: flag, dataDir: text })

export const serverStatus: Decoder<ServerStatus> = object({
  version: text,
  pid: number,
  startedAt: text,
  uptimeMs: number,
  configFile: text,
  listen: list(text),
  instances: number,
  running: number,
})

export const logLine: Decoder<LogLine> = object({
  at: nullable(text),
  stream: oneOf(streams),
  text,
  base64: nullable(text),
})

/** An error on the wire, application/problem+json (RFC 9457) with two members of our own: `code` and `fix`. */
export interface Problem {
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly fix: string | null
}

export const problem: Decoder<Problem> = object({
  title: text,
  status: number,
  detail: text,
  code: text,
  fix: nullable(text),
})

/** The request body of POST /v1/instances. */
export const addRequest: Decoder<{ readonly instance: string }> = object({ instance: text })
