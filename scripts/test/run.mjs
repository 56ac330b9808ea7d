// Runs one program of a test run in the checkout: with this terminal as its own, or with what it prints kept for later.
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
export const run = (program, args, environment = process.env) =>
  ended(spawn(program, args, { cwd: root, env: environment, stdio: 'inherit' }))

/**
 * As `run`, beside another program that has the terminal: resolves with all that it printed too, in the order it came.
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {Promise<{ readonly code: number, readonly printed: string }>}
 */
export const runBeside = async (program, args) => {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  /** @type {Buffer[]} */
  const chunks = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk))
  const [code] = await Promise.all([ended(child), once(child, 'close')])
  return { code, printed: Buffer.concat(chunks).toString() }
}

/** @param {import('node:child_process').ChildProcess} child */
const ended = async (child) => {
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
