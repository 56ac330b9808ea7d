// Which promises an attack would break. The proofs beside the capabilities name rows by number; here the parts of a row are told
// apart, and what holds of every instance because the launcher sees to it, whatever confines it. Pure.
import type { Network } from '../isolation/adapter.ts'

/** Kept by tenement itself: the uid without privileges, the clean descriptors, the limits that cannot be raised. */
export const byLauncher = 'launcher'

const uid = 'user.perTenantUid'
const files = ['fs.privateRoot', uid]
const processes = ['pid.private', uid]
const filter = ['syscalls.filtered']
const launcher = [byLauncher]

const keepers: Readonly<Record<string, readonly string[]>> = {
  '1': ['fs.readOnlyRoot'],
  '2': ['fs.readOnlyRoot'],
  '3': ['fs.privateRoot'],
  '4': files,
  '5': files,
  '5.seen': ['fs.privateRoot'],
  '6': processes,
  '6.seen': ['pid.private'],
  '7': processes,
  '8': ['env.clean'],
  '9': ['env.clean', 'fs.secrets'],
  '10': launcher,
  '11': launcher,
  '12': ['net.noLoopback', 'net.private', 'net.egress'],
  '13': ['net.noMetadata', 'net.egress'],
  '14.port': ['net.private'],
  '14.path': files,
  '15': ['uds.abstractPrivate', 'net.private'],
  '16': files,
  '19': ['fs.noHostSymlink'],
  '21': launcher,
  '23': files,
  '24': files,
  '24.own': filter,
  '25': files,
  '25.own': filter,
  '26': processes,
  '26.parent': filter,
  '27': processes,
  '28': ['user.noNestedNs', ...filter],
  '29': launcher,
  '30': launcher,
  '31': launcher,
  '32': filter,
  '33': filter,
  '34': filter,
  '34.read': filter,
  '35': filter,
  '36': filter,
  '37': ['abi.nativeOnly'],
  '38': launcher,
  '39': launcher,
  '40': launcher,
  '41': launcher,
  '42': [],
  '43': launcher,
  '43.seen': ['fs.privateRoot'],
  '44': ['fs.readOnlyRoot', 'cgroup.private'],
  '45': ['cgroup.private'],
  '46': launcher,
  '46.score': [],
  '47': ['res.pids'],
  '48': ['res.pids'],
  '49': ['res.memory'],
  '50': ['fs.privateTmp'],
  '51': ['disk.quota'],
  '52': launcher,
  '53': launcher,
  '54': [uid],
  '55': ['res.cpu'],
  '56': launcher,
  '57': launcher,
  '58': ['kill.atomic', uid],
  '59': ['restart.survives'],
  '60.attested': ['launch.attested'],
  '62': ['pid.private'],
  '63': launcher,
  '64': ['launch.attested'],
  '64.memory': [],
  '65': launcher,
  '66': ['ipc.private', uid],
  '66.seen': ['ipc.private'],
  '67': filter,
  '68': ['net.private'],
  '68.port': launcher,
  '69': launcher,
  '70': ['net.private'],
  '74': ['fs.readOnlyRoot', uid],
  '75': launcher,
  '76': filter,
  '77': filter,
  '78': launcher,
  '79': launcher,
}

/** A network of its own is promised to whoever asks for one, so of an instance on the machine's none of this holds. */
const ofOwnNetwork: readonly string[] = [
  'net.private',
  'net.egress',
  'net.noLoopback',
  'net.noMetadata',
  'uds.abstractPrivate',
]

/** Row 70 is about the routes of a network of its own, row 68.port about ports shared with others, row 8 about a first process of its own. */
const doesNotApply: Readonly<Record<string, (where: Where) => string | undefined>> = {
  '8': ({ claims }) => (claims.has('pid.private') ? undefined : 'it has no first process of its own'),
  '64': ({ claims }) => (claims.has('pid.private') ? undefined : 'it has no first process of its own'),
  '64.memory': ({ claims }) => (claims.has('pid.private') ? undefined : 'it has no first process of its own'),
  '68.port': ({ network }) => (network === 'host' ? undefined : 'in a network of its own it has every port'),
  '70': ({ network }) => (network === 'host' ? 'it has no network of its own' : undefined),
}

export interface Where {
  /** What the adapter promises on every machine. */
  readonly claims: ReadonlySet<string>
  /** Promises that its probe says this machine cannot keep. */
  readonly lost: ReadonlySet<string>
  readonly network: Network
}

/** The promises that this row would break; empty where none is made. */
export const keepersOf = (row: string, { claims, lost, network }: Where): readonly string[] =>
  (keepers[row] ?? []).filter(
    (name) =>
      name === byLauncher ||
      (claims.has(name) && !lost.has(name) && (network !== 'host' || !ofOwnNetwork.includes(name))),
  )

/** Promises that this row would break, were they not lost on this machine. */
export const lostKeepersOf = (row: string, where: Where): readonly string[] =>
  keepersOf(row, { ...where, lost: new Set() }).filter((name) => where.lost.has(name))

/** Why a row is no question there; undefined where it is one. */
export const whyNotApplying = (row: string, where: Where): string | undefined => doesNotApply[row]?.(where)
