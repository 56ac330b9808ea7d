// What an operator sees while an order is carried out: the phase of the instance and how long it has taken, in one line of
// stderr that is gone when the order is done. Asks the server nothing where nobody would see it.
import type { ControlClient } from '../control/client.ts'
import { formatInstance, type InstanceName } from '../names.ts'
import { formatTook } from './formatUnits.ts'
import type { Terminal } from './terminal.ts'

/** What is done by then flickers if it is shown. */
const firstAfterMs = 300
const againAfterMs = 200

export interface Ordered {
  readonly client: Pick<ControlClient, 'why'>
  readonly name: InstanceName
  readonly terminal: Pick<Terminal, 'progress' | 'showsProgress'>
  /** False for a program that asked. */
  readonly isShown: boolean
}

/** Waits for the order, and returns or rejects as it does. */
export const whileShowing = async <Result>(
  { client, name, terminal, isShown }: Ordered,
  order: Promise<Result>,
): Promise<Result> => {
  if (!isShown || !terminal.showsProgress) return order
  const begunMs = performance.now()
  let isOver = false
  let timer: NodeJS.Timeout | undefined
  const show = async (): Promise<void> => {
    // A line less is no reason for an order to fail.
    const account = await client.why(name).catch(() => undefined)
    if (isOver) return
    if (account !== undefined)
      terminal.progress(`${formatInstance(name)} is ${account.phase}, ${formatTook(performance.now() - begunMs)}`)
    timer = setTimeout(() => void show(), againAfterMs)
  }
  timer = setTimeout(() => void show(), firstAfterMs)
  try {
    return await order
  } finally {
    isOver = true
    clearTimeout(timer)
    terminal.progress('')
  }
}
