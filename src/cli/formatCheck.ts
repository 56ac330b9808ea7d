// What `check` prints below the problems. Pure. Problems themselves are written by src/check, in the same words everywhere;
// what programs get is reportCheck.ts.
import { type Level, levelOf } from '../check/exposure/score.ts'
import { visible } from '../config/problem.ts'
import type { Checked } from './checkConfig.ts'
import { machineRows, type Row, serviceRows } from './checkRows.ts'
import { type Cell, formatTable } from './formatTable.ts'
import { wrap } from './formatUnits.ts'
import { countsOf } from './reportCheck.ts'
import type { Paint, Style } from './terminal.ts'

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** The first line where nothing is wrong: what there is. */
export const formatSound = (checked: Checked): string => {
  const { services, instances, hosts } = countsOf(checked)
  const counted = [
    plural(services, 'service'),
    plural(instances, 'instance'),
    ...(hosts > 0 ? [plural(hosts, 'host')] : []),
  ]
  return `ok: ${counted.join(', ')} in ${visible(checked.file ?? '')}`
}

/** The last line below the problems. */
export const formatCount = ({ problems, file }: Pick<Checked, 'problems' | 'file'>): string =>
  `${plural(problems.length, 'problem')} in ${visible(file ?? '')}; nothing was started`

export interface Screen {
  readonly paint: Paint
  /** Undefined where lines may be of any length. */
  readonly columns: number | undefined
}

/** What this machine allows and what each service gets: one table each; empty where there is nothing to tell. */
export const formatTables = (checked: Checked, screen: Screen): string =>
  [
    tableOf({ heading: 'ISOLATION', rows: machineRows(checked) }, screen),
    tableOf({ heading: 'SERVICE', rows: serviceRows(checked), column: scoreColumn(checked) }, screen),
  ]
    .filter((table) => table !== '')
    .join('\n\n')

/** A cell for each subject, in a column of its own. */
interface Column {
  readonly heading: string
  readonly cells: ReadonlyMap<string, Cell>
}

const levelStyles: Readonly<Record<Level, Style>> = { low: 'green', medium: 'yellow', high: 'red' }

export const scoreCell = (score: number): Cell => ({ text: score.toFixed(1), style: levelStyles[levelOf(score)] })

/** Undefined where nothing is known of any: this machine was not asked. */
const scoreColumn = ({ exposures }: Checked): Column | undefined =>
  exposures.size === 0
    ? undefined
    : { heading: 'EXPOSURE', cells: new Map([...exposures].map(([name, { score }]) => [name, scoreCell(score)])) }

const styles: Readonly<Record<Row['state'], Style>> = { ok: 'green', warn: 'yellow', fail: 'red' }

/** Narrower than this a finding is not broken further: a terminal does it. */
const narrowest = 40

interface Table {
  readonly heading: string
  readonly rows: readonly Row[]
  /** Stands between the subject and the rest. */
  readonly column?: Column | undefined
}

const tableOf = ({ heading, rows, column }: Table, { paint, columns }: Screen): string => {
  if (rows.length === 0) return ''
  const headings = [heading, ...(column === undefined ? [] : [column.heading]), 'STATE']
  const first = Math.max(heading.length, ...rows.map(({ subject }) => subject.length))
  const before = first + headings.slice(1).reduce((sum, text) => sum + '  '.length + text.length, '  '.length)
  const width = columns === undefined ? undefined : Math.max(columns - before, narrowest)
  const cells = rows.flatMap((row, index) => cellsOf(row, rows[index - 1]?.subject === row.subject, width, column))
  return formatTable([...headings, 'FINDING'], cells, paint)
}

/** A row and its fix as lines of cells; who a row is about is written once. */
const cellsOf = (
  { subject, state, finding, fix }: Row,
  isSame: boolean,
  width: number | undefined,
  column: Column | undefined,
): Cell[][] => {
  const lines = [...wrap(visible(finding), width), ...(fix === undefined ? [] : wrap(`→ ${visible(fix)}`, width))]
  const beside: Cell[] = column === undefined ? [] : [column.cells.get(subject) ?? { text: '' }]
  return lines.map((text, index) => {
    const isFirst = index === 0 && !isSame
    return [
      { text: isFirst ? visible(subject) : '' },
      ...(isFirst ? beside : beside.map((): Cell => ({ text: '' }))),
      index > 0 ? { text: '' } : { text: state, style: styles[state] },
      { text },
    ]
  })
}
