// What `check --exposure` prints: for each service what its score is made of, the heaviest part first, why it weighs that, and what
// would close it. Pure.
import type { Exposure, ExposureTerm } from '../check/exposure/exposure.ts'
import { levelOf } from '../check/exposure/score.ts'
import { visible } from '../config/problem.ts'
import type { Checked } from './checkConfig.ts'
import { type Screen, scoreCell } from './formatCheck.ts'
import { type Cell, formatTable } from './formatTable.ts'
import { wrap } from './formatUnits.ts'

export const formatExposures = ({ exposures }: Pick<Checked, 'exposures'>, screen: Screen): string =>
  [...exposures].map(([name, exposure]) => formatExposure(name, exposure, screen)).join('\n\n')

const formatExposure = (name: string, { score, tenant, terms }: Exposure, screen: Screen): string => {
  const { text, style } = scoreCell(score)
  const painted = style === undefined ? text : screen.paint(style, text)
  const whose = visible(tenant === undefined ? name : `${name}:${tenant}`)
  const head = `${whose} is exposed by ${painted} of 10: ${levelOf(score)}`
  return terms.length === 0 ? head : `${head}\n${tableOf(terms, screen)}`
}

const headings = ['POINTS', 'OF', 'AN INSTANCE']
const beside = '  0.00  0.00  '.length
const narrowest = 40

const tableOf = (terms: readonly ExposureTerm[], { paint, columns }: Screen): string => {
  const width = columns === undefined ? undefined : Math.max(columns - beside, narrowest)
  return formatTable(
    headings,
    terms.flatMap((term) => linesOf(term, width)),
    paint,
  )
}

const linesOf = ({ points, of, exposes, because, fix }: ExposureTerm, width: number | undefined): Cell[][] => {
  const lines: readonly Cell[] = [
    ...cellsOf(exposes, width),
    ...cellsOf(because, width).map((cell): Cell => ({ ...cell, style: 'dim' })),
    ...(fix === undefined ? [] : cellsOf(`→ ${fix}`, width)),
  ]
  return lines.map((cell, index) => [
    { text: index === 0 ? points.toFixed(2) : '' },
    { text: index === 0 ? of.toFixed(2) : '' },
    cell,
  ])
}

const cellsOf = (text: string, width: number | undefined): readonly Cell[] =>
  wrap(visible(text), width).map((line) => ({ text: line }))
