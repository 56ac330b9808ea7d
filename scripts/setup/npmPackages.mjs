// The npm packages of the lockfile. npm writes down what it installed in node_modules/.package-lock.json, as its last act,
// so comparing that record with the lockfile finds a missing, an outdated and an interrupted installation alike, without
// starting npm, which alone takes longer than everything else that is checked here.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { inRoot, root } from './paths.mjs'
import { lastLines, SetupError, say } from './report.mjs'

/** @typedef {{ readonly version?: string, readonly integrity?: string, readonly optional?: boolean, readonly cpu?: readonly string[] }} Entry */

/** @type {import('./steps.mjs').Step} */
export const npmPackagesStep = {
  isNeeded: () => {
    const installed = packagesIn(inRoot('node_modules', '.package-lock.json'))
    return installed === undefined || !isUpToDate(packagesIn(inRoot('package-lock.json')) ?? {}, installed)
  },
  run: () => {
    say('installing npm packages')
    // Not `npm ci`: it refuses a lockfile without the optional packages of every other kind of machine, and a registry that
    // does not hold them makes no other. This installs the locked versions and leaves the lockfile as it is (--no-save).
    // Development packages too, whatever NODE_ENV says: the compiler is among them. Nothing of them runs at install.
    const args = [
      'install',
      '--no-save',
      '--include=dev',
      '--ignore-scripts',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
    ]
    const [program, ...first] = npmCommand()
    const { error, status, stderr } = spawnSync(program, [...first, ...args], { cwd: root, encoding: 'utf8' })
    if (error !== undefined) throw new SetupError(`npm cannot be run: ${error.message}`, 'install npm')
    if (status !== 0) {
      throw new SetupError(
        `npm could not install the packages of package-lock.json:\n${errorLines(stderr)}`,
        `when the reason above is gone, run: cd ${root} && npm ${args.join(' ')}`,
      )
    }
  },
}

/**
 * @param {Readonly<Record<string, Entry>>} wanted
 * @param {Readonly<Record<string, Entry>>} installed
 */
const isUpToDate = (wanted, installed) =>
  Object.entries(installed).every(([path, entry]) => wanted[path] !== undefined || entry.optional === true) &&
  Object.entries(wanted).every(([path, entry]) => {
    const found = installed[path]
    // An optional one is absent where it is made for another kind of machine.
    if (found === undefined) return path === '' || entry.optional === true
    return found.version === entry.version && found.integrity === entry.integrity && isForThisMachine(found)
  })

/**
 * The start of what npm says went wrong: the reason comes first, a page of usage may follow.
 * @param {string} output
 */
const errorLines = (output) => {
  const lines = output.split('\n').filter((line) => line.startsWith('npm error') && line.trim() !== 'npm error')
  return lastLines(lines.slice(0, 8).join('\n'))
}

/**
 * False after the folder was copied from a machine with another processor.
 * @param {Entry} entry
 */
const isForThisMachine = ({ cpu }) => cpu === undefined || cpu.includes(process.arch)

/**
 * @param {string} lockfile
 * @returns {Readonly<Record<string, Entry>> | undefined}
 */
const packagesIn = (lockfile) => {
  try {
    return JSON.parse(readFileSync(lockfile, 'utf8')).packages
  } catch {
    // Absent, or cut off in the middle: either way it does not say that anything is installed.
    return undefined
  }
}

/**
 * The npm that runs this script, else the one on the PATH.
 * @returns {[string, ...string[]]}
 */
const npmCommand = () => {
  const running = process.env.npm_execpath
  return running?.endsWith('npm-cli.js') ? [process.execPath, running] : ['npm']
}
