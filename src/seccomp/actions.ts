// What a filter may answer, as OCI profiles, people and the kernel write it. Pure.
import { constants } from 'node:os'

export type ActionKind = 'allow' | 'log' | 'trace' | 'errno' | 'trap' | 'kill_thread' | 'kill_process'

export interface Action {
  readonly kind: ActionKind
  /** The errno of 'errno', the message of 'trace'; 0 for all others. */
  readonly data: number
}

/** Actions of OCI profiles. SCMP_ACT_NOTIFY is missing: bubblewrap hands nobody the descriptor it needs. */
export const actionNames: Readonly<Record<string, ActionKind>> = {
  SCMP_ACT_ALLOW: 'allow',
  SCMP_ACT_ERRNO: 'errno',
  SCMP_ACT_KILL_PROCESS: 'kill_process',
  SCMP_ACT_KILL_THREAD: 'kill_thread',
  SCMP_ACT_KILL: 'kill_thread',
  SCMP_ACT_LOG: 'log',
  SCMP_ACT_TRACE: 'trace',
  SCMP_ACT_TRAP: 'trap',
}

/** SECCOMP_RET_* of linux/seccomp.h; libseccomp's SCMP_ACT_* are the same numbers. */
const returnValues: Readonly<Record<ActionKind, number>> = {
  kill_process: 0x8000_0000,
  kill_thread: 0,
  trap: 0x0003_0000,
  errno: 0x0005_0000,
  trace: 0x7ff0_0000,
  log: 0x7ffc_0000,
  allow: 0x7fff_0000,
}

/** What the program returns to the kernel for this action. */
export const returnValueOf = ({ kind, data }: Action): number => returnValues[kind] + data

export const isSameAction = (a: Action, b: Action): boolean => a.kind === b.kind && a.data === b.data

/** The kernel cuts what is above 4095 (MAX_ERRNO, kernel/seccomp.c), and libseccomp refuses that number too. */
export const greatestErrno = 4094

const errnoNames: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno)
    // EWOULDBLOCK and EOPNOTSUPP are second names.
    .filter(([name]) => name !== 'EWOULDBLOCK' && name !== 'EOPNOTSUPP')
    .map(([name, number]) => [number, name]),
)

/** 'allow', 'EPERM', 'kill_process' */
export const describeAction = ({ kind, data }: Action): string => {
  if (kind === 'errno') return errnoNames.get(data) ?? `errno ${data}`
  return kind === 'trace' ? `trace ${data}` : kind
}

/** The number of 'EPERM'; undefined for a name this system does not have. */
export const errnoNamed = (name: string): number | undefined =>
  new Map<string, number>(Object.entries(constants.errno)).get(name)
