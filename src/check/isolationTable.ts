// The README's tables of isolation levels, made from what the adapters promise and what they give a service that says nothing:
// to change a cell, change the adapter. Put between their markers by `npm run reference`.
import type { Defaults, IsolationAdapter } from '../isolation/adapter.ts'
import { type Asking, capabilities } from '../isolation/capabilities.ts'
import type { Adapters } from '../isolation/registry.ts'

export const levelsStart = '<!-- isolation levels: made by npm run reference -->'
export const promisesStart = '<!-- isolation promises: made by npm run reference -->'

/** What a tenant gets, as a person asks for it, and the promises it comes down to. */
const levels: readonly (readonly [string, readonly string[]])[] = [
  ['a uid of its own, as root', ['user.perTenantUid']],
  ['sees only its own processes', ['pid.private']],
  ['finds only the files it was granted', ['fs.privateRoot', 'fs.readOnlyRoot']],
  ['reaches only the system calls its profile allows', ['syscalls.filtered', 'abi.nativeOnly']],
  ['has a network of its own', ['net.private']],
  ['has bounded memory', ['res.memory']],
  ['has bounded processes', ['res.pids']],
  ['has bounded processor time', ['res.cpu']],
  ['is looked at before it may run', ['launch.attested']],
]

/** The short table: what people choose by. */
export const levelsTable = (adapters: Adapters): string =>
  tableOf(
    adapters,
    levels.map(([text, promises]) => [text, (adapter) => weakest(promises.map((name) => cellOf(adapter, name)))]),
  )

/** Every promise there is. */
export const promisesTable = (adapters: Adapters): string =>
  tableOf(
    adapters,
    Object.entries(capabilities).map(([name, { promise }]) => [
      `\`${name}\`: ${promise}`,
      (adapter) => cellOf(adapter, name),
    ]),
  )

type Row = readonly [text: string, cell: (adapter: IsolationAdapter) => string]

const tableOf = (adapters: Adapters, rows: readonly Row[]): string => {
  const all = [...adapters.values()]
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(['a tenant', ...all.map(({ name }) => `\`${name}\``)]),
    `|${'---|'.repeat(all.length + 1)}`,
    ...rows.map(([text, cell]) => line([text, ...all.map(cell)])),
  ].join('\n')
}

const no = 'no'
const yes = 'yes'

/** A row that stands for several promises is as good as the least of them. */
const weakest = (cells: readonly string[]): string =>
  cells.find((cell) => cell === no) ?? cells.find((cell) => cell !== yes) ?? yes

const cellOf = ({ capabilities: given, defaults }: IsolationAdapter, name: string): string => {
  const strength = given[name]
  if (strength === undefined) return no
  const how = strength === 'enforced' ? yes : 'best effort'
  const isUsual = usuallyGiven[name]?.(defaults) ?? true
  return isUsual ? how : `${how === yes ? '' : `${how}, `}with ${keysFor(name)}`
}

/** Promises that a service gets only where it or its adapter's defaults ask for them. */
const usuallyGiven: Readonly<Record<string, (defaults: Defaults) => boolean>> = {
  'fs.secrets': () => false,
  'net.private': ({ network }) => network !== 'host',
  'net.egress': ({ network }) => network === 'internet',
  'syscalls.filtered': ({ seccomp }) => seccomp !== undefined,
  'res.memory': ({ limits }) => limits.memoryBytes !== undefined,
  'res.pids': ({ limits }) => limits.processes !== undefined,
  'res.cpu': ({ limits }) => limits.cpus !== undefined || limits.cpuWeight !== undefined,
  'res.files': ({ limits }) => limits.openFiles !== undefined,
  'disk.quota': ({ limits }) => limits.storageBytes !== undefined,
}

const keysFor = (name: string): string => (capabilities[name]?.askedBy ?? []).slice(0, 1).map(writtenOf).join('')

const writtenOf = ({ key, value }: Asking): string => `\`${key}${value === undefined ? '' : ` = "${value}"`}\``
