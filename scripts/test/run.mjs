// Runs one program of a test run in the checkout, with this terminal as its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { root } from '../setup/paths.mjs'

/** A program that hangs on to its terminal must not outlive the run that started it. */
const passedOn = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

/**
 * Resolves with the exit code, 1 when a signal ended it. After a signal to this process it does not resolve: the run ends.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {Promise<number>}
 */
export const run = async (program, args, environment = process.env) => {
  const child = spawn(program, args, { cwd: root, env: environment, stdio: 'inherit' })
  /** @param {NodeJS.Signals} signal */
  const end = (signal) => {
    child.kill(signal)
    child.once('exit', () => process.exit(1))
  }
  for (const signal of passedOn) process.on(signal, end)
  try {
    const [code] = await once(child, 'exit')
    return code ?? 1
  } finally {
    for (const signal of passedOn) process.off(signal, end)
  }
}
