// Runs the tests on each Node line tenement supports, taken from the npm packages that hold nothing but its binary
// (the package `node` only adds a script that installs one of them). Words behind go to vitest: npm run test:nodes -- router
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { inRoot } from './setup/paths.mjs'
import { run } from './test/run.mjs'
import { countLine, runVitest } from './test/vitest.mjs'

const majors = [20, 22, 24, 26]

/**
 * @param {string} folder
 * @param {number} major
 */
const installNode = async (folder, major) => {
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  const wanted = `node-${major}@npm:node-linux-${process.arch}@${major}`
  const code = await run('npm', ['install', '--prefix', folder, '--package-lock=false', ...options, wanted])
  return code === 0 ? `${folder}/node_modules/node-${major}/bin` : undefined
}

/** @param {number} major */
const testOn = async (major) => {
  const folder = mkdtempSync(`${tmpdir()}/tenement-node-${major}-`)
  try {
    const bin = await installNode(folder, major)
    if (bin === undefined) return { version: `v${major}`, result: 'could not be installed', passed: false }
    const node = `${bin}/node`
    const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
    console.log(`\n── Node ${version}`)
    // Programs that tests start as plain `node` must be the same one.
    const counts = await runVitest(node, process.argv.slice(2), {
      ...process.env,
      PATH: `${bin}:${process.env.PATH}`,
    })
    return { version, result: countLine(counts), passed: counts.succeeded }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const built = await run(process.execPath, [inRoot('scripts', 'setup.mjs'), 'build'])
if (built !== 0) process.exit(built)
const results = []
for (const major of majors) results.push(await testOn(major))
console.log()
for (const { version, result, passed } of results)
  console.log(`${passed ? 'ok    ' : 'FAILED'}  ${version.padEnd(10)}  ${result}`)
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1
