// What `check --attack` prints: a table for each isolation, what is wrong first, then known faults of this machine, and the
// verdict last. Pure.
import { visible } from '../config/problem.ts'
import type { BuildFinding } from '../proof/builds.ts'
import type { Proof } from '../proof/prove.ts'
import type { AttackReport, AttackRow, Outcome } from '../proof/report.ts'
import type { Screen } from './formatCheck.ts'
import { type Cell, formatTable } from './formatTable.ts'
import { formatTook, wrap } from './formatUnits.ts'
import type { Style } from './terminal.ts'

export const formatProof = (proof: Proof, screen: Screen): string =>
  [
    ...proof.adapters.map((report) => formatReport(report, screen)),
    formatBuilds(proof.builds, screen),
    screen.paint('dim', scope),
    verdictOn(proof, screen),
  ].join('\n\n')

/** What nobody should read into it. */
const scope =
  'each isolation was tried as a service gets it that says nothing more: what seccomp, network, options, read and write of a service open beyond that, tenement check --exposure counts'

const words: Readonly<Record<Outcome, readonly [word: string, style: Style | undefined]>> = {
  broken: ['BROKEN', 'red'],
  allowed: ['allowed', 'yellow'],
  'not run': ['not run', 'dim'],
  stopped: ['stopped', 'green'],
}
const order = Object.keys(words)

const formatReport = (report: AttackReport, screen: Screen): string => {
  const { adapter, rows, usable, problem, lost } = report
  const name = `isolation "${visible(adapter)}"`
  if (!usable)
    return [
      `${name} cannot run here: ${problem?.reason ?? 'it does not say why'}`,
      ...(problem ? [`→ ${problem.fix}`] : []),
    ].join('\n')
  const sorted = [...rows].sort((one, other) => order.indexOf(one.outcome) - order.indexOf(other.outcome))
  return [
    `${name}: ${countsIn(report)}, in ${formatTook(report.durationMs)}`,
    ...lost.map(({ capability, reason }) => `lost here: ${capability}: ${visible(reason)}`),
    tableOf(
      ['ROW', 'OUTCOME', 'AN INSTANCE'],
      together(sorted).flatMap((row) => linesOf(row, screen)),
      screen,
    ),
  ].join('\n')
}

/** What is alike of so many rows is told once: an instance that could not be started, say. */
const many = 5

const together = (rows: readonly AttackRow[]): readonly AttackRow[] => {
  const reasonOf = ({ outcome, because }: AttackRow): string => `${outcome} ${because.join('; ')}`
  const alike = (row: AttackRow): readonly AttackRow[] =>
    row.outcome === 'stopped' || row.because.length === 0
      ? [row]
      : rows.filter((each) => reasonOf(each) === reasonOf(row))
  return rows.flatMap((row): readonly AttackRow[] => {
    const group = alike(row)
    if (group.length < many) return [row]
    if (group[0] !== row) return []
    const numbers = [...new Set(group.map((each) => each.row))].join(', ')
    const promisedBy = [...new Set(group.flatMap((each) => each.promisedBy))]
    return [
      {
        ...row,
        row: `${group.length} rows`,
        sentence: `nothing is shown of rows ${numbers}`,
        network: null,
        promisedBy,
      },
    ]
  })
}

const countsIn = ({ counts }: AttackReport): string =>
  `${counts.stopped} stopped, ${counts.allowed} allowed by design, ${counts.broken} broken, ${counts['not run']} not run`

const tableOf = (headings: readonly string[], cells: readonly (readonly Cell[])[], { paint }: Screen): string =>
  formatTable(headings, cells, paint)

/** The widest row number and outcome, and what stands between columns. */
const before = '60.attested  BROKEN   '.length

/** Narrower than this a finding is not broken further: a terminal does it. */
const narrowest = 40

const linesOf = (row: AttackRow, { columns }: Screen): Cell[][] => {
  const width = columns === undefined ? undefined : Math.max(columns - before, narrowest)
  const [word, style] = words[row.outcome]
  const where = row.network === null ? '' : `, on network "${row.network}"`
  // Each sentence says what holds where nothing gets through.
  const isSaidOfOne = !row.row.endsWith(' rows')
  const isFalse = isSaidOfOne && (row.outcome === 'allowed' || row.outcome === 'broken')
  const sentence = isFalse ? `not so: ${row.sentence}` : row.sentence
  const promise = row.outcome === 'broken' ? [`promised by ${row.promisedBy.join(', ')}`] : []
  const lines = [`${sentence}${where}`, ...promise, ...row.because].flatMap((text, index) =>
    wrap(`${index === 0 ? '' : '  '}${visible(text)}`, width),
  )
  return lines.map((text, index) => [
    { text: index === 0 ? row.row : '' },
    index === 0 && style !== undefined ? { text: word, style } : { text: index === 0 ? word : '' },
    { text },
  ])
}

const buildStyles: Readonly<Record<BuildFinding['found'], Style>> = {
  vulnerable: 'red',
  reachable: 'yellow',
  'not found': 'green',
  'not tried': 'dim',
}

const formatBuilds = (builds: readonly BuildFinding[], screen: Screen): string => {
  const width =
    screen.columns === undefined
      ? undefined
      : Math.max(screen.columns - 'CVE-2026-12345  vulnerable  '.length, narrowest)
  const cells = builds.flatMap(({ fault, found, what, because, fix, row }) =>
    [`${what}: ${because} (row ${row} says whether instances reach it)`, ...(fix === null ? [] : [`→ ${fix}`])]
      .flatMap((text) => wrap(visible(text), width))
      .map((text, index): Cell[] => [
        { text: index === 0 ? fault : '' },
        index === 0 ? { text: found, style: buildStyles[found] } : { text: '' },
        { text },
      ]),
  )
  return tableOf(['KNOWN FAULT', 'THIS MACHINE', 'FINDING'], cells, screen)
}

const verdictOn = ({ adapters, ok }: Proof, { paint }: Screen): string => {
  if (ok) return `${paint('green', 'ok:')} no promise is broken on this machine`
  const broken = adapters.flatMap(({ adapter, rows }) =>
    rows.filter(({ outcome }) => outcome === 'broken').map(({ row }) => `${adapter} ${row}`),
  )
  return `${paint('red', 'broken:')} ${broken.length} promise${broken.length === 1 ? '' : 's'} on this machine: ${[...new Set(broken)].join(', ')}\n→ serve nobody you do not trust with it until the rows above say why`
}
