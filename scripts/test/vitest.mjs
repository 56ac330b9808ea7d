// Runs vitest and counts from its JSON report. A file that could not be loaded, or an error outside of any test, is counted
// as one failure: neither is a test in the report, and a run with either must not end in "0 failed".
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { inRoot, root } from '../setup/paths.mjs'
import { run } from './run.mjs'

/** @typedef {{ readonly passed: number, readonly failed: number, readonly skipped: number, readonly succeeded: boolean }} Counts */
/** @typedef {{ readonly status: string, readonly fullName: string, readonly failureMessages: readonly string[] }} TestReport */
/** @typedef {{ readonly name: string, readonly status: string, readonly message: string, readonly assertionResults: readonly TestReport[] }} FileReport */

/**
 * @param {string} node The Node to run it with.
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {Promise<Counts>}
 */
export const runVitest = async (node, args, environment = process.env) => {
  const folder = mkdtempSync(`${tmpdir()}/tenement-test-`)
  try {
    const report = `${folder}/report.json`
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const vitest = inRoot('node_modules', 'vitest', 'vitest.mjs')
    const code = await run(node, [vitest, 'run', ...reporters, ...args], environment)
    const files = readReport(report)
    for (const line of files.flatMap(failuresOf)) console.error(line)
    return countsOf(files, code)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * What failed in a file, each with the first lines of what it said: where only the end of a log is kept, this is in it.
 * @param {FileReport} file
 * @returns {readonly string[]}
 */
const failuresOf = (file) => [
  ...file.assertionResults
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages }) =>
      failure(`${relative(root, file.name)} > ${fullName}`, failureMessages.join('\n')),
    ),
  ...(isBroken(file) ? [failure(relative(root, file.name), file.message)] : []),
]

/** Enough for an assertion with what was expected, not for a stack. */
const toldLines = 4
const toldLength = 2_000

/**
 * @param {string} name
 * @param {string} said
 */
const failure = (name, said) => {
  const lines = stripVTControlCharacters(said).slice(0, toldLength).split('\n', toldLines)
  return [`FAILED  ${name}`, ...lines.map((line) => `        ${line}`)].join('\n')
}

/** @param {Counts} counts */
export const countLine = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`

/**
 * @param {readonly FileReport[]} files
 * @param {number} code
 * @returns {Counts}
 */
const countsOf = (files, code) => {
  const statuses = files.flatMap((file) => file.assertionResults.map((test) => test.status))
  const passed = statuses.filter((status) => status === 'passed').length
  const failedTests = statuses.filter((status) => status === 'failed').length
  const failed = failedTests + files.filter(isBroken).length
  return {
    passed,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: statuses.length - passed - failedTests,
    succeeded: code === 0,
  }
}

/**
 * True when the file failed though none of its tests did.
 * @param {FileReport} file
 */
const isBroken = (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed')

/**
 * @param {string} file
 * @returns {readonly FileReport[]}
 */
const readReport = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).testResults
  } catch (thrown) {
    console.error(`vitest left no report: ${thrown instanceof Error ? thrown.message : thrown}`)
    return []
  }
}
