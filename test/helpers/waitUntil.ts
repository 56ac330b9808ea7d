// Waiting for something that no event tells, with a deadline.
import { setTimeout as delay } from 'node:timers/promises'

/** How many times slower than a real one the machine is on which the tests run: a virtual one may be much. */
export const slowness = Number(process.env.TENEMENT_TEST_SLOWNESS ?? 1)

/** Asks every few milliseconds until the answer is true; rejects after `deadlineMs`, naming the question. */
export const waitUntil = async (
  isSo: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
  everyMs = 5,
): Promise<void> => {
  const deadline = performance.now() + deadlineMs * slowness
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`still not so after ${deadlineMs} ms: ${isSo}`)
    await delay(everyMs)
  }
}
