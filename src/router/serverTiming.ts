// The Server-Timing header (W3C Server Timing, section 3) that tells a client what tenement did with its request. It stands
// beside the instance's own, and only where the operator wants it: it shows who was asleep. Pure.

export interface Timing {
  /** Milliseconds until the start of the instance began. */
  readonly queueMs: number
  /** From then until it was ready. */
  readonly wakeMs: number
  /** From there to the head of the answer. */
  readonly appMs: number
}

/** To a tenth of a millisecond. */
const dur = (ms: number): string => `dur=${ms.toFixed(1)}`

/** A raw list of one header. */
export const serverTiming = ({ queueMs, wakeMs, appMs }: Timing): readonly string[] => [
  'Server-Timing',
  `tn-queue;${dur(queueMs)}, tn-wake;${dur(wakeMs)}, tn-app;${dur(appMs)}`,
]
