// What `npm test` runs after set-up: the build, and then every check beside the tests, all to their end, so that one run shows
// everything that is wrong. With words behind (`npm test -- router`) only the build and vitest run, and vitest gets them.
// The last line stands alone for programs to read: how many tests passed, failed and were skipped.
import { inRoot } from './setup/paths.mjs'
import { run, runBeside } from './test/run.mjs'
import { countLine, runVitest } from './test/vitest.mjs'

/**
 * A check that only succeeds or fails.
 * @param {string} name
 * @param {...string} args
 */
const check = (name, ...args) => ({ name, args })

const checks = [
  check('types', inRoot('node_modules', 'typescript', 'bin', 'tsc'), '--noEmit', '-p', '.'),
  check('types of scripts', inRoot('node_modules', 'typescript', 'bin', 'tsc'), '--noEmit', '-p', 'scripts'),
  check('lint', inRoot('node_modules', '@biomejs', 'biome', 'bin', 'biome'), 'check', '.'),
  check('unused code', inRoot('node_modules', 'knip', 'bin', 'knip.js')),
]

/** Tests wait for processes most of the time: the checks cost them little, and alone they would leave processors idle. */
const runChecks = async () => {
  const results = []
  for (const { name, args } of checks) results.push({ name, ...(await runBeside(process.execPath, args)) })
  return results
}

const vitestArgs = process.argv.slice(2)
console.log('\n── build')
const built = await run(process.execPath, [inRoot('scripts', 'setup.mjs'), 'build'])
console.log('\n── tests')
const [counts, checked] = await Promise.all([
  runVitest(process.execPath, vitestArgs),
  vitestArgs.length > 0 ? [] : runChecks(),
])
for (const { name, printed } of checked) console.log(`\n── ${name}\n${printed.trimEnd()}`)

const results = [
  { name: 'build', passed: built === 0 },
  ...checked.map(({ name, code }) => ({ name, passed: code === 0 })),
  { name: 'tests', passed: counts.succeeded },
]
console.log()
for (const { name, passed } of results) console.log(`${passed ? 'ok    ' : 'FAILED'}  ${name}`)
console.log(countLine(counts))
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1
