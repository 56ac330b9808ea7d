// What keeps an instance from running, whatever its phase: an operator's lasting orders, or that it is being removed.
import type { Refusal } from '../refusal.ts'
import type { PhaseState } from './phases.ts'
import { refusals } from './refusals.ts'

export class Bars {
  readonly #instance: string
  isDisabled: boolean
  isPaused: boolean
  /** What everybody is told while it is being removed, or tenement ends. */
  closed: (() => Refusal) | undefined

  /** `instance` is 'service:id'. */
  constructor(instance: string, isDisabled: boolean, isPaused: boolean) {
    this.#instance = instance
    this.isDisabled = isDisabled
    this.isPaused = isPaused
  }

  /** The phase in which it rests; undefined while no lasting order is in force. */
  get rest(): Extract<PhaseState, { phase: 'disabled' | 'paused' }> | undefined {
    if (this.isDisabled) return { phase: 'disabled' }
    return this.isPaused ? { phase: 'paused' } : undefined
  }

  /** What a request is told that comes now; while it is paused requests wait. */
  get refusal(): Refusal | undefined {
    return this.closed?.() ?? (this.isDisabled ? refusals.disabled(this.#instance) : undefined)
  }

  /** An operator is told at once what a request waits for. */
  get refusalToOperators(): Refusal | undefined {
    return this.refusal ?? (this.isPaused ? refusals.paused(this.#instance) : undefined)
  }
}

/** The command that lets an instance be started again which an operator keeps down; undefined where nobody does. */
export const releaseOf = (instance: string, { isDisabled, isPaused }: Bars): string | undefined => {
  if (isDisabled) return `"tenement enable ${instance}"`
  return isPaused ? `"tenement resume ${instance}"` : undefined
}
