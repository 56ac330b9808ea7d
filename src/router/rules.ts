// What the router must know of an instance before it is awake: what its service asks for, and whether it sleeps.

/** What a service asks of the way to its instances. */
export interface Rules {
  /** Bytes a request body may have; undefined for any number. */
  readonly maxBodyBytes?: number | undefined
  /** Whether POST and PATCH with an Idempotency-Key may be sent a second time. */
  readonly retryPost: boolean
  /** Paths that are answered without waking an instance that sleeps. */
  readonly asleepHealth: readonly string[]
}

export interface Knowledge {
  /** `instance` is 'service:id' and exists. */
  rulesOf(instance: string): Rules
  /** Nothing of it runs and nothing is about to: a request would wake it. */
  isAsleep(instance: string): boolean
  /** A request would have it at once. */
  isReady(instance: string): boolean
}

/** Of a service that asks for nothing, of whose instances nothing is known. */
export const noKnowledge: Knowledge = {
  rulesOf: () => ({ retryPost: false, asleepHealth: [] }),
  isAsleep: () => false,
  isReady: () => false,
}
