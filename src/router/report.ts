// What the router tells of requests that are over, as plain values to one function: whoever counts them gives it.
// It is called on the way of every request, so it must be fast, and must not throw.
import type { Reason } from './reasons.ts'

export type Report = (told: Told) => void

export type Told =
  /** The instance's own answer went to the client, to its last byte. An upgrade has no duration: it lasts as long as it likes. */
  | {
      readonly kind: 'answered'
      readonly instance: string
      readonly status: number
      readonly durationMs: number | undefined
    }
  /** tenement refused it, or showed a page that waits; without an instance where none was found. */
  | { readonly kind: 'refused'; readonly instance: string | undefined; readonly reason: Reason }
  /** The instance's answer ended in its middle. */
  | { readonly kind: 'broken'; readonly instance: string }
  /** The client left before the end of the answer. */
  | { readonly kind: 'left'; readonly instance: string }
  /** The request is given to the instance once more. */
  | { readonly kind: 'retried'; readonly instance: string }
