// What `npm test` runs after set-up: every check, one after the other and on after one that fails, so that one run shows
// everything that is wrong. With words behind (`npm test -- router`) only vitest runs, and gets them.
// The last line stands alone for programs to read: how many tests passed, failed and were skipped.
import { inRoot } from './setup/paths.mjs'
import { run } from './test/run.mjs'
import { countLine, runVitest } from './test/vitest.mjs'

/**
 * A check that only succeeds or fails.
 * @param {string} name
 * @param {...string} args
 */
const check = (name, ...args) => ({ name, args })

const checks = [
  check('build', inRoot('scripts', 'setup.mjs'), 'build'),
  check('types', inRoot('node_modules', 'typescript', 'bin', 'tsc'), '--noEmit', '-p', '.'),
  check('types of scripts', inRoot('node_modules', 'typescript', 'bin', 'tsc'), '--noEmit', '-p', 'scripts'),
  check('lint', inRoot('node_modules', '@biomejs', 'biome', 'bin', 'biome'), 'check', '.'),
  check('unused code', inRoot('node_modules', 'knip', 'bin', 'knip.js')),
]

const vitestArgs = process.argv.slice(2)
/** @type {{ readonly name: string, readonly passed: boolean }[]} */
const results = []
for (const { name, args } of vitestArgs.length > 0 ? checks.slice(0, 1) : checks) {
  console.log(`\n── ${name}`)
  results.push({ name, passed: (await run(process.execPath, args)) === 0 })
}
console.log('\n── tests')
const counts = await runVitest(process.execPath, vitestArgs)
results.push({ name: 'tests', passed: counts.succeeded })

console.log()
for (const { name, passed } of results) console.log(`${passed ? 'ok    ' : 'FAILED'}  ${name}`)
console.log(countLine(counts))
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1
