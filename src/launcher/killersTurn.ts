// One launcher of a machine at a time ends a uid at a stroke: while it does, its real uid is one that all of them take for it, and
// kill(2) lets each signal whoever has that, so two at the same moment would end one another.
import { mkdirSync, openSync } from 'node:fs'
import { tryLock, unlock } from './libc.ts'
import { machineDirectory } from './uidRange.ts'

/** Many times what a stroke takes, in milliseconds: whoever holds it for longer has been stopped in the middle, and is not waited for. */
const patienceMs = 100

let lock: number | undefined

/** The directory itself: a file in it could be refused where the disk is full, and then nothing could be ended. */
const open = (): number => {
  mkdirSync(machineDirectory, { recursive: true, mode: 0o700 })
  return openSync(machineDirectory, 'r')
}

/** Waits without giving way to anything else of this process: what `act` does must not be met half done. */
const sleepMs = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

/** Calls `act` while no other launcher is in it; does nothing where another one does not come out of it. */
export const atKillersTurn = (act: () => void): void => {
  lock ??= open()
  for (let waitedMs = 0; !tryLock(lock); waitedMs += 1) {
    if (waitedMs >= patienceMs) return
    sleepMs(1)
  }
  try {
    act()
  } finally {
    unlock(lock)
  }
}
