// `npm run bench [-- name…] [--quick] [--readme]`: every measurement of bench/benches, one after the other, on the build in dist.
// What was found is printed as one table each and kept in bench/results/NAME.json, every single value with it. Machines differ
// and are noisy: compare the rows of one run, not runs. Nothing is asserted here. With --readme the figures of bench/results are then
// written into README.md; with --readme-only that is all that happens.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { goalColumns, goalRows } from './lib/goals.mjs'
import { writeReadme } from './lib/readme.mjs'
import { formatTable } from './lib/table.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const args = process.argv.slice(2)
const isQuick = args.includes('--quick')
const asked = args.filter((each) => !each.startsWith('--'))
const names = readdirSync(join(here, 'benches')).map((file) => file.replace(/\.mjs$/, ''))
const unknown = asked.find((name) => !names.includes(name))
if (unknown !== undefined) {
  console.error(`there is no measurement "${unknown}"\n→ choose among ${names.join(', ')}`)
  process.exit(2)
}

const machine = () => ({ node: process.version, kernel: release(), processors: cpus().length, load: loadavg()[0] })

const measureOne = async (name) => {
  const { title, columns, measure } = await import(`./benches/${name}.mjs`)
  const before = machine()
  const { rows, ...rest } = await measure({ rounds: isQuick ? 8 : 60, isQuick })
  const result = { title, isQuick, machine: before, loadAfter: loadavg()[0], columns, rows, ...rest }
  mkdirSync(join(here, 'results'), { recursive: true })
  writeFileSync(join(here, 'results', `${name}.json`), `${JSON.stringify(result, null, 1)}\n`)
  console.log(`\n${name}: ${title}\n${formatTable(columns, rows)}`)
  if (rest.goals !== undefined) console.log(`\n${formatTable(goalColumns, goalRows(rest.goals))}`)
}

/** Each in a process of its own: what one leaves in memory makes every later start of a program slower. */
const measureAll = (chosen) => {
  const { kernel, processors, load, node } = machine()
  console.log(`node ${node}, kernel ${kernel}, ${processors} processors, load ${load.toFixed(1)}`)
  const flags = isQuick ? ['--quick'] : []
  const failed = chosen.filter(
    (name) =>
      spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--one', name, ...flags], { stdio: 'inherit' })
        .status !== 0,
  )
  if (failed.length > 0) console.error(`\ncould not be measured: ${failed.join(', ')}`)
  process.exitCode = failed.length > 0 ? 1 : 0
}

const chosen = names.filter((each) => asked.length === 0 || asked.includes(each))
if (args.includes('--one')) await measureOne(chosen[0])
else if (!args.includes('--readme-only')) measureAll(chosen)
if (args.includes('--readme') || args.includes('--readme-only')) writeReadme()
