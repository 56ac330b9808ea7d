// What `check` prints below the problems, and what it tells programs in either case. Pure.
// Problems themselves are written by src/check, in the same words everywhere.
import { type ProblemReport, reportProblems } from '../check/format.ts'
import { type Standing, standingOf } from '../check/promises.ts'
import { showKey, visible } from '../config/problem.ts'
import type { Strength } from '../isolation/adapter.ts'
import type { LastProof } from '../proof/lastProof.ts'
import type { Checked } from './checkConfig.ts'
import { machineRows, type Row, serviceRows } from './checkRows.ts'
import { type Cell, formatTable } from './formatTable.ts'
import { wrap } from './formatUnits.ts'
import type { Paint, Style } from './terminal.ts'

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

interface Counts {
  readonly services: number
  readonly instances: number
  readonly hosts: number
}

const countsOf = ({ config }: Checked): Counts => ({
  services: config?.services.size ?? 0,
  instances: [...(config?.instances.values() ?? [])].reduce((sum, ids) => sum + ids.length, 0),
  hosts: config?.hosts.size ?? 0,
})

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
  [tableOf('ISOLATION', machineRows(checked), screen), tableOf('SERVICE', serviceRows(checked), screen)]
    .filter((table) => table !== '')
    .join('\n\n')

const styles: Readonly<Record<Row['state'], Style>> = { ok: 'green', warn: 'yellow', fail: 'red' }

/** Narrower than this a finding is not broken further: a terminal does it. */
const narrowest = 40

const tableOf = (heading: string, rows: readonly Row[], { paint, columns }: Screen): string => {
  if (rows.length === 0) return ''
  const before = Math.max(heading.length, ...rows.map(({ subject }) => subject.length)) + '  STATE  '.length
  const width = columns === undefined ? undefined : Math.max(columns - before, narrowest)
  const cells = rows.flatMap((row, index) => cellsOf(row, rows[index - 1]?.subject === row.subject, width))
  return formatTable([heading, 'STATE', 'FINDING'], cells, paint)
}

/** A row and its fix as lines of cells; who a row is about is written once. */
const cellsOf = ({ subject, state, finding, fix }: Row, isSame: boolean, width: number | undefined): Cell[][] => {
  const lines = [...wrap(visible(finding), width), ...(fix === undefined ? [] : wrap(`→ ${visible(fix)}`, width))]
  return lines.map((text, index) => [
    { text: index > 0 || isSame ? '' : visible(subject) },
    index > 0 ? { text: '' } : { text: state, style: styles[state] },
    { text },
  ])
}

interface AdapterReport {
  readonly name: string
  readonly usable: boolean
  /** Why it cannot run here; null where it can. */
  readonly problem: { readonly reason: string; readonly fix: string } | null
  readonly capabilities: Readonly<Partial<Record<string, Strength>>>
  readonly lost: readonly {
    readonly capability: string
    readonly reason: string
    readonly fix: string | null
    /** Whether a service runs without it only where its config accepts that. */
    readonly needed: boolean
  }[]
}

interface RequirementReport {
  readonly service: string
  readonly isolation: string
  readonly capability: string
  /** The key that asks for it; null where the isolation itself does. */
  readonly key: string | null
  readonly given: Strength | 'absent'
  readonly standing: Standing
  readonly reason: string | null
  readonly fix: string | null
}

export interface CheckReport extends Counts {
  readonly ok: boolean
  /** Null where there is no config. */
  readonly file: string | null
  readonly problems: readonly ProblemReport[]
  readonly warnings: readonly ProblemReport[]
  readonly adapters: readonly AdapterReport[]
  readonly requirements: readonly RequirementReport[]
  /** What the last `check --attack` showed of what is used; null where this machine was not asked. */
  readonly lastProof: LastProof | null
}

/** The same for programs; every key is there in either case. */
export const reportCheck = (checked: Checked, proof?: LastProof): CheckReport => ({
  ok: checked.problems.length === 0,
  file: checked.file ?? null,
  ...countsOf(checked),
  problems: reportProblems(checked.problems),
  warnings: reportProblems(checked.warnings),
  adapters: reportAdapters(checked),
  requirements: reportRequirements(checked),
  lastProof: proof ?? null,
})

const reportAdapters = ({ probes, adapters }: Checked): readonly AdapterReport[] =>
  [...probes].map(([name, { usable, problem, lost }]) => ({
    name,
    usable,
    problem: problem ?? null,
    capabilities: adapters.get(name)?.capabilities ?? {},
    lost: lost
      .filter(({ onlyWith }) => onlyWith === undefined)
      .map(({ capability, reason, fix }) => ({
        capability,
        reason,
        fix: fix ?? null,
        needed: adapters.get(name)?.needs.includes(capability) ?? false,
      })),
  }))

const reportRequirements = ({ config, promises }: Checked): readonly RequirementReport[] =>
  [...promises].flatMap(([service, verdicts]) =>
    verdicts.map((verdict) => ({
      service,
      isolation: config?.services.get(service)?.isolation ?? '',
      capability: verdict.capability,
      key: verdict.path === undefined ? null : showKey(verdict.path),
      given: verdict.given ?? 'absent',
      standing: standingOf(verdict),
      reason: verdict.lost?.reason ?? null,
      fix: verdict.lost?.fix ?? null,
    })),
  )
