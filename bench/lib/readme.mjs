// Writes the figures of bench/results into README.md, between its two marks: what was asked, what was found, on which machine.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { goalColumns, goalRows } from './goals.mjs'

const results = fileURLToPath(new URL('../results', import.meta.url))
const readme = fileURLToPath(new URL('../../README.md', import.meta.url))
const begin = '<!-- bench: written by npm run bench -- --readme -->'
const end = '<!-- /bench -->'

const readResults = () =>
  (existsSync(results) ? readdirSync(results) : [])
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .map((file) => ({ name: file.replace('.json', ''), ...JSON.parse(readFileSync(`${results}/${file}`, 'utf8')) }))

const line = (cells) => `| ${cells.join(' | ')} |`

const table = (columns, rows) => [
  line(columns),
  line(columns.map(() => '---')),
  ...rows.map((row) => line(columns.map((column) => row[column]))),
]

/** Each file of results may be of another run, so each says what its machine was like. */
const circumstances = ({ machine, loadAfter, isQuick }) =>
  [`Node ${machine.node.slice(1)}`, `kernel ${machine.kernel}`, `${machine.processors} cores`]
    .concat(`load ${machine.load.toFixed(1)} before and ${loadAfter.toFixed(1)} after`, isQuick ? 'a quick run' : [])
    .join(', ')

const sectionFor = (measured) => {
  const rows = measured.flatMap(({ name, goals }) =>
    goalRows(goals).map((row) => ({ measurement: `\`${name}\``, ...row })),
  )
  const [{ machine, ...rest }] = measured.toSorted((one, other) => other.loadAfter - one.loadAfter)
  return [
    ...table(['measurement', ...goalColumns], rows),
    '',
    `Busiest of them: ${circumstances({ machine, ...rest })}.`,
  ]
}

/** Throws when the marks are not there or nothing was measured. */
export const writeReadme = () => {
  const measured = readResults().filter(({ goals }) => goals !== undefined)
  if (measured.length === 0) throw new Error('bench/results has nothing to write\n→ run "npm run bench" first')
  const text = readFileSync(readme, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`README.md lacks the marks ${begin} and ${end}`)
  writeFileSync(readme, `${text.slice(0, from)}${[begin, ...sectionFor(measured)].join('\n')}\n${text.slice(to)}`)
}
