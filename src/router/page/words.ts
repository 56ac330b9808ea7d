// How far a wake is → the words a page says it in. The page and its script get the same, so there is one place for them.
// Pure; nothing in them comes from a request, an instance or the machine.
import type { WakeState } from '../wake.ts'

export interface Words {
  readonly state: WakeState['state']
  /** Of the window, and the headline. */
  readonly title: string
  readonly text: string
  /** What changes by the second, and is not read out loud each time. */
  readonly time: string
}

const said = {
  queued: { title: 'Waiting its turn', text: 'The application starts when its turn comes.' },
  starting: { title: 'Waking up', text: 'The application was asleep, and is starting now.' },
  backoff: { title: 'Trying again', text: 'The application stopped while it was starting.' },
  paused: { title: 'Back soon', text: 'The application is paused for maintenance.' },
  failed: { title: 'It does not start', text: 'The application keeps failing, and is left alone for a while.' },
  done: { title: 'Ready', text: 'The page opens now.' },
} as const satisfies Record<WakeState['state'], Omit<Words, 'state' | 'time'>>

const timeOf = (wake: WakeState): string => {
  if (wake.state === 'queued') return wake.ahead === undefined ? '' : placeIn(wake.ahead)
  if (wake.state === 'starting') return wake.forMs < 1_000 ? '' : lasting(Math.floor(wake.forMs / 1_000))
  if (wake.state === 'backoff') return `Next try in ${lasting(Math.max(Math.ceil(wake.retryInMs / 1_000), 1))}`
  return ''
}

const placeIn = (ahead: number): string => (ahead === 0 ? 'Next in line' : `${ahead} before it in line`)

/** Whole seconds, in minutes where there are many. */
const lasting = (seconds: number): string => {
  if (seconds >= 120) return `${Math.floor(seconds / 60)} minutes`
  return seconds === 1 ? '1 second' : `${seconds} seconds`
}

export const wordsFor = (wake: WakeState): Words => ({ state: wake.state, ...said[wake.state], time: timeOf(wake) })
