// What a client is told that cannot be served now. No sentence here says more than that: how an instance failed is for its
// operator, and stands in the log.
import { Refusal } from '../refusal.ts'

/** Nothing evictable: somebody must finish first, which takes as long as it takes. */
const capacityRetryMs = 15_000
const soonMs = 1_000
/** Maintenance takes minutes rather than seconds, and whoever asks again is held again. */
const pausedRetryMs = 30_000

export const refusals = {
  waking: (instance: string, restMs: number) =>
    new Refusal('waking', `${instance} is still waking`, { retryAfterMs: restMs }),
  capacity: (instance: string) =>
    new Refusal('capacity', `as many instances run as may run at once, so ${instance} has to wait`, {
      retryAfterMs: capacityRetryMs,
    }),
  queueFull: (whose: string, retryAfterMs: number) =>
    new Refusal('queue_full', `too many requests wait for ${whose}`, { retryAfterMs }),
  startFailed: (instance: string, retryAfterMs: number) =>
    new Refusal('start_failed', `${instance} could not be started`, { retryAfterMs }),
  backoff: (instance: string, restMs: number) =>
    new Refusal('backoff', `${instance} failed and is not started again yet`, { retryAfterMs: restMs }),
  crashloop: (instance: string, restMs: number) =>
    new Refusal('crashloop', `${instance} failed too often and is left alone for a while`, { retryAfterMs: restMs }),
  disabled: (instance: string) => new Refusal('disabled', `${instance} is disabled`),
  paused: (instance: string) =>
    new Refusal('paused', `${instance} is paused for maintenance`, { retryAfterMs: pausedRetryMs }),
  stopped: (instance: string) =>
    new Refusal('stopped', `${instance} was stopped while this request waited`, { retryAfterMs: soonMs }),
  removed: (instance: string) => new Refusal('stopped', `${instance} is being removed`, { retryAfterMs: soonMs }),
  unknown: (instance: string) => new Refusal('unavailable', `there is no instance ${instance}`),
  unrunnable: (instance: string) => new Refusal('unavailable', `the service of ${instance} cannot run on this machine`),
  shuttingDown: (instance: string) =>
    new Refusal('shutting_down', `tenement is shutting down, so ${instance} gets no more requests`, {
      retryAfterMs: soonMs,
    }),
  left: (instance: string, cause: unknown) =>
    new Refusal('waking', `the client left before ${instance} was ready`, { cause }),
} as const
