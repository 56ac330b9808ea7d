// What `check` prints when there is nothing wrong, and what it tells programs in either case. Pure.
// Problems themselves are written by src/check, in the same words everywhere.
import { type ProblemReport, reportProblems } from '../check/format.ts'
import { visible } from '../config/problem.ts'
import type { AdapterFinding, Checked } from './checkConfig.ts'

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

const formatAdapter = ({ name, probe }: AdapterFinding): readonly string[] => [
  `isolation "${name}": can run on this machine${probe.lost.length === 0 ? '' : ', but'}`,
  ...probe.lost.flatMap(({ capability, reason, fix }) => [
    `  ${capability} is lost: ${reason}`,
    ...(fix === undefined ? [] : [`  → ${fix}`]),
  ]),
]

/** The good news: one line of what there is, then what each adapter can keep on this machine. */
export const formatSound = (checked: Checked): string => {
  const { services, instances, hosts } = countsOf(checked)
  const counted = [
    plural(services, 'service'),
    plural(instances, 'instance'),
    ...(hosts > 0 ? [plural(hosts, 'host')] : []),
  ]
  return [`ok: ${counted.join(', ')} in ${visible(checked.file)}`, ...checked.adapters.flatMap(formatAdapter)].join(
    '\n',
  )
}

/** The last line below the problems. */
export const formatCount = ({ problems, file }: Checked): string =>
  `${plural(problems.length, 'problem')} in ${visible(file)}; nothing was started`

export interface CheckReport extends Counts {
  readonly ok: boolean
  readonly file: string
  readonly problems: readonly ProblemReport[]
  readonly adapters: readonly {
    readonly name: string
    readonly usable: boolean
    readonly lost: readonly { readonly capability: string; readonly reason: string; readonly fix: string | null }[]
  }[]
}

/** The same for programs; every key is there in either case. */
export const reportCheck = (checked: Checked): CheckReport => ({
  ok: checked.problems.length === 0,
  file: checked.file,
  ...countsOf(checked),
  problems: reportProblems(checked.problems),
  adapters: checked.adapters.map(({ name, probe }) => ({
    name,
    usable: probe.usable,
    lost: probe.lost.map(({ capability, reason, fix }) => ({ capability, reason, fix: fix ?? null })),
  })),
})
