// One set-up of a checkout at a time. flock(1) locks the descriptor it inherits from here and ends at once: the lock
// belongs to the open file, so it lasts as long as this process has it open and goes when it ends, however it ends.
import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { SetupError, say } from './report.mjs'

/**
 * Runs `work` while holding the lock on `file`; waits when another run holds it.
 * @param {string} file
 * @param {() => void} work
 */
export const lockedBy = (file, work) => {
  const descriptor = openSync(file, 'a')
  try {
    if (!flock(descriptor, ['--nonblock'])) {
      say('waiting for another set-up of this folder to end')
      if (!flock(descriptor, []))
        throw new SetupError(`${file} cannot be locked`, 'see whether its disk supports flock(2)')
    }
    work()
  } finally {
    closeSync(descriptor)
  }
}

/**
 * @param {number} descriptor
 * @param {readonly string[]} options
 */
const flock = (descriptor, options) => {
  const { error, status } = spawnSync('flock', [...options, '3'], {
    stdio: ['ignore', 'ignore', 'inherit', descriptor],
  })
  if (error !== undefined)
    throw new SetupError(`flock cannot be run: ${error.message}`, 'install the package util-linux')
  return status === 0
}
