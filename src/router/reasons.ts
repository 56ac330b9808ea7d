// Every answer tenement gives itself: the token clients see, its status, and the sentence that goes with it.
// 503 is for requests no byte of which reached an instance, 502 and 504 for those that did: nothing else uses the three.
import type { RefusalReason } from '../refusal.ts'
import type { Log } from './log.ts'

export interface ReasonEntry {
  readonly status: number
  /** For whoever made the request; says nothing about the machine or the instance. */
  readonly detail: string
  /** Seconds until another try makes sense, where whoever refused did not say. */
  readonly retryAfterSeconds?: number
  /** Whether a browser should try again by itself. */
  readonly reloads?: boolean
  readonly level: keyof Log
}

const wait = { reloads: true, level: 'info' } as const
const client = { level: 'debug' } as const

export const reasons = {
  wake: { status: 200, detail: 'How far the application is on its way to being awake.', ...client },
  asleep: { status: 200, detail: 'The application is asleep; a request for anything else wakes it.', ...client },
  bad_request: { status: 400, detail: 'The request is malformed.', ...client },
  bad_host: { status: 400, detail: 'The request needs exactly one valid host.', ...client },
  unknown_host: { status: 404, detail: 'Nothing is served at this host.', ...client },
  reserved_path: {
    status: 404,
    detail: 'Paths below /.well-known/tenement/ are not the application’s, and this one is nothing.',
    ...client,
  },
  method_not_allowed: { status: 405, detail: 'This method is not served.', ...client },
  request_timeout: { status: 408, detail: 'The request did not arrive in time.', ...client },
  body_too_large: { status: 413, detail: 'The request body is too large.', ...client },
  bad_expectation: { status: 417, detail: 'Only "Expect: 100-continue" can be met.', ...client },
  rate_limited: {
    status: 429,
    detail: 'Too many different applications were woken from this address.',
    retryAfterSeconds: 60,
    ...client,
  },
  head_too_large: { status: 431, detail: 'The request head is too large.', ...client },
  internal: { status: 500, detail: 'A fault in the server in front of the application.', level: 'error' },
  upstream_broke: { status: 502, detail: 'The application broke off before it answered.', level: 'warn' },
  upstream_protocol: { status: 502, detail: 'The application gave an answer that is not valid HTTP.', level: 'warn' },
  waking: { status: 503, detail: 'The application is still starting.', retryAfterSeconds: 2, ...wait },
  queue_full: { status: 503, detail: 'Too many requests are waiting.', retryAfterSeconds: 3, ...wait },
  capacity: { status: 503, detail: 'The server has no room to start the application.', retryAfterSeconds: 20, ...wait },
  start_failed: { status: 503, detail: 'The application could not be started.', retryAfterSeconds: 5, ...wait },
  backoff: { status: 503, detail: 'The application stopped unexpectedly.', retryAfterSeconds: 5, ...wait },
  crashloop: { status: 503, detail: 'The application keeps failing.', retryAfterSeconds: 300, level: 'info' },
  disabled: { status: 503, detail: 'The application is switched off.', retryAfterSeconds: 300, level: 'info' },
  paused: {
    status: 503,
    detail: 'The application is paused for maintenance.',
    retryAfterSeconds: 30,
    reloads: true,
    level: 'info',
  },
  stopped: {
    status: 503,
    detail: 'The application was stopped just now.',
    retryAfterSeconds: 1,
    reloads: true,
    level: 'info',
  },
  unavailable: { status: 503, detail: 'The application cannot run here.', retryAfterSeconds: 300, level: 'info' },
  unreachable: {
    status: 503,
    detail: 'The application does not accept connections.',
    retryAfterSeconds: 2,
    reloads: true,
    level: 'warn',
  },
  shutting_down: { status: 503, detail: 'The server is shutting down.', retryAfterSeconds: 5, ...wait },
  loop: { status: 508, detail: 'The request goes in a circle.', level: 'warn' },
  upstream_timeout: { status: 504, detail: 'The application did not answer in time.', level: 'warn' },
} as const satisfies Record<string, ReasonEntry> & Record<RefusalReason, ReasonEntry>

export type Reason = keyof typeof reasons

/** The entry of a reason, without knowing which. */
export const entryOf = (reason: Reason): ReasonEntry => reasons[reason]
