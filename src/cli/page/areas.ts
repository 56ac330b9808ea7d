// The attack in the words of somebody who will never read a row: what may be at risk, and what came of the attacks on it. Every row
// is counted once. Pure; knows nothing of HTML.
import { type CapabilityName, capabilities } from '../../isolation/capabilities.ts'
import { type AttackRow, type Counts, countsOf } from '../../proof/report.ts'

const areas: readonly (readonly [what: string, promises: readonly CapabilityName[]])[] = [
  [
    'Files of this server and of other customers',
    ['fs.privateRoot', 'fs.readOnlyRoot', 'fs.privateTmp', 'fs.noHostSymlink', 'fs.secrets', 'env.clean', 'fd.clean'],
  ],
  [
    'Programs of this server and of other customers',
    ['pid.private', 'ipc.private', 'user.perTenantUid', 'kill.atomic'],
  ],
  [
    'The network around this server',
    ['net.private', 'net.noLoopback', 'net.noMetadata', 'net.egress', 'uds.abstractPrivate'],
  ],
  [
    'The kernel, and becoming root',
    [
      ...(['syscalls.filtered', 'abi.nativeOnly', 'caps.none', 'priv.noNew', 'user.ns', 'user.noNestedNs'] as const),
      ...(['uts.private', 'cgroup.private', 'tty.none', 'core.none', 'launch.attested'] as const),
    ],
  ],
  ['Memory, processors and disk', ['res.memory', 'res.pids', 'res.cpu', 'res.files', 'disk.quota']],
]

const everythingElse = 'Tenement itself, and all else'

export interface Area {
  readonly what: string
  readonly counts: Counts
}

export const areasOf = (rows: readonly AttackRow[]): readonly Area[] =>
  [...areas.map(([what]) => what), everythingElse].flatMap((what) => {
    const own = rows.filter((row) => areaOf(row) === what)
    return own.length === 0 ? [] : [{ what, counts: countsOf(own) }]
  })

/** By what was promised; where nothing was, by what the attack is about. */
const areaOf = ({ row, promisedBy }: AttackRow): string => {
  const number = Number.parseInt(row, 10)
  const isAbout = (name: CapabilityName): boolean => capabilities[name]?.proofs.includes(number) === true
  const byPromise = areas.find(([, promises]) => promises.some((name) => promisedBy.includes(name)))
  return (byPromise ?? areas.find(([, promises]) => promises.some(isAbout)))?.[0] ?? everythingElse
}

/** Said of all rows of an area together. */
export const verdictOf = ({ stopped, allowed, broken }: Counts): { readonly word: string; readonly state: State } => {
  if (broken > 0) return { word: 'promise broken', state: 'bad' }
  if (allowed === 0) return stopped === 0 ? { word: 'not tried', state: 'quiet' } : { word: 'closed', state: 'good' }
  return stopped === 0 ? { word: 'open', state: 'fair' } : { word: 'partly open', state: 'fair' }
}

/** The class of a word on the page, which is never told by its colour alone. */
export type State = 'good' | 'fair' | 'bad' | 'quiet'
