// Which processes belong to a run, read from /proc. A process is signalled only through a descriptor of it, after looking again that
// it belongs: a pid alone may have been given to somebody else. How a group is ended whole is in endGroup.ts.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { NamespaceKind } from '../isolation/adapter.ts'
import { hasProcessOf, signalIf } from './libc.ts'

/** The environment variable by which the processes of a run are known where they share tenement's own uid. */
export const runMarker = 'TENEMENT_RUN'

/** The first process of a process namespace: every other one in it ends with it (pid_namespaces(7)). */
export interface FirstProcess {
  readonly pid: number
  readonly startTicks: number
  /** Inode of its process namespace, by which its members are known. */
  readonly namespace: number
}

/**
 * How the processes of a run are known. A uid of its own cannot be shaken off, nor can a process namespace be left; a marker
 * in the environment can. What began as root is known by its uid, its session and its marker alike. `first` is killed before all others where there is one: the kernel then kills the rest at one stroke.
 */
export type Group = (
  | { readonly kind: 'uid'; readonly uid: number; readonly root?: RootPart | undefined }
  | { readonly kind: 'session'; readonly leader: Leader | undefined; readonly run: string }
) & { readonly first?: FirstProcess | undefined }

/** What of a run with a uid of its own may still be root. */
export interface RootPart {
  readonly leader: Leader | undefined
  readonly run: string
}

/** The process that was started, which began a session and a process group of its number. */
export interface Leader {
  readonly pid: number
  readonly startTicks: number
}

/**
 * Runs `read` on a file of /proc; undefined when the process is gone or may not be looked at. As UTF-8, for which Node reads in
 * one go: a file without a size costs 64 KiB of new memory for any other encoding, and hundreds are read for each run.
 */
const fromProc = <T>(path: string, read: (text: string) => T): T | undefined => {
  try {
    return read(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

interface ProcessStat {
  readonly state: string
  readonly group: number
  readonly session: number
  readonly startTicks: number
}

/** Fields of /proc/PID/stat (proc(5)); the program's name may hold spaces and brackets, so reading begins behind its last one. */
export const statOf = (pid: number): ProcessStat | undefined => readStat(`/proc/${pid}/stat`)

const readStat = (path: string): ProcessStat | undefined =>
  fromStat(path, (number, state) => ({ state, group: number(2), session: number(3), startTicks: number(19) }))

const fromStat = <T>(path: string, read: (number: (index: number) => number, state: string) => T): T | undefined =>
  fromProc(path, (text) => {
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return read((index) => Number(fields[index]), fields[0] ?? '')
  })

const hasEnded = (stat: ProcessStat | undefined): boolean => stat === undefined || ['Z', 'X'].includes(stat.state)

/**
 * Whether nothing of a process runs any more. Its own state tells of its first thread alone: one that has exited shows as a
 * zombie while the others run on, and whoever took it for dead would give its uid and its data to somebody else.
 */
export const isDead = (pid: number): boolean =>
  hasEnded(statOf(pid)) && threadsOf(pid).every((thread) => hasEnded(readStat(`/proc/${pid}/task/${thread}/stat`)))

const threadsOf = (pid: number): readonly string[] => {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return [] // it is gone
  }
}

const hasUid = (pid: number, uid: number): boolean =>
  fromProc(`/proc/${pid}/status`, (text) =>
    (/^Uid:\t(.*)$/m.exec(text)?.[1] ?? '').split('\t').some((each) => Number(each) === uid),
  ) ?? false

/** Whether a process is of a group; 'untold' where a look in this moment cannot say. */
type Belonging = boolean | 'untold'

const hasMarker = (pid: number, run: string): Belonging => {
  const environment = environmentOf(pid)
  if (environment === '') return isBetweenPrograms(pid) && 'untold'
  return environment?.split('\0').includes(`${runMarker}=${run}`) ?? false
}

const environmentOf = (pid: number): string | undefined => fromProc(`/proc/${pid}/environ`, (text) => text)

/**
 * execve(2) gives a process its new memory some time before it has written arguments and environment there; until then its
 * environment reads as empty (environ_read() of fs/proc/base.c), as it does when the memory it was read from is replaced meanwhile.
 */
const isBetweenPrograms = (pid: number): boolean => hasProgram(pid) && !isDead(pid) && !startedWithoutEnvironment(pid)

/**
 * Fields 27, 50 and 51 of /proc/PID/stat, all in one look: two looks might be at two programs. The end of the code is written behind
 * arguments and environment (load_elf_binary() of fs/binfmt_elf.c), so where it stands these are whole.
 */
const startedWithoutEnvironment = (pid: number): boolean =>
  fromStat(`/proc/${pid}/stat`, (number) => number(24) > 1 && number(47) === number(48)) ?? false

/** Threads of the kernel have none, nor has what is gone. */
const hasProgram = (pid: number): boolean => {
  try {
    return readlinkSync(`/proc/${pid}/exe`) !== ''
  } catch {
    return false
  }
}

/** Whether a process is alive and of the group, as far as can be told. */
export const isMember = (pid: number, group: Group): boolean => belongs(pid, group) === true

const belongs = (pid: number, group: Group): Belonging => {
  // The uid first: it rules out nearly every process of the machine with one look.
  if (group.kind === 'uid' && hasUid(pid, group.uid)) return !isDead(pid)
  if (group.kind === 'uid') return group.root !== undefined && !isDead(pid) && isOfRoot(pid, group.root)
  if (isDead(pid)) return false
  return isInNamespace(pid, group.first) || isInSession(pid, group.leader) || hasMarker(pid, group.run)
}

const isOfRoot = (pid: number, { leader, run }: RootPart): Belonging => isInSession(pid, leader) || hasMarker(pid, run)

/**
 * The kernel gives the number of a process namespace that is gone to the next one made (alloc_inum() takes the lowest that is
 * free). As long as its first process is listed, as a zombie too, the number is this namespace's; after it there are no others.
 */
const isInNamespace = (pid: number, first: FirstProcess | undefined): boolean =>
  first !== undefined &&
  namespaceOf(pid, 'pid') === first.namespace &&
  statOf(first.pid)?.startTicks === first.startTicks

/** A pid is nobody else's while a session or a process group has its number; once that is empty it may begin another. */
const isInSession = (pid: number, leader: Leader | undefined): boolean => {
  if (leader === undefined) return false
  const stat = statOf(pid)
  if (stat?.session !== leader.pid && stat?.group !== leader.pid) return false
  const now = statOf(leader.pid)
  return now === undefined || now.startTicks === leader.startTicks
}

interface Found {
  /** A zombie holds nothing and cannot act, so it does not count. */
  readonly members: readonly number[]
  /** False where some process could not be told from a member. */
  readonly isSure: boolean
}

/** How often processes are listed in one look while each list has some that the one before it had not. */
const listsInOneLook = 20

/**
 * A list of processes is old when it is read: one that ended meanwhile may have left a child that is in no list yet. So it is made again
 * until nobody is new in it: whoever lives then was looked at. `onMember` is told of each as it is found, while it is still there.
 */
export const lookFor = (group: Group, onMember: (pid: number) => void = () => undefined): Found => {
  const seen = new Set<number>()
  const members: number[] = []
  let isSure = true
  for (let lists = 0; lists < listsInOneLook; lists += 1) {
    const strangers = readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 1 && pid !== process.pid && !seen.has(pid))
    if (strangers.length === 0) return { members, isSure }
    for (const pid of strangers) {
      seen.add(pid)
      const belonging = belongs(pid, group)
      if (belonging === true) {
        members.push(pid)
        onMember(pid)
      }
      if (belonging === 'untold') isSure = false
    }
  }
  return { members, isSure: false }
}

/** The living processes of a group. */
export const membersOf = (group: Group): readonly number[] => lookFor(group).members

/** Whether a process of this uid is alive. Asked in one call first, which answers nearly always; it counts zombies, so no is sure and yes is not. */
export const isUidAlive = (uid: number): boolean => hasProcessOf(uid) && membersOf({ kind: 'uid', uid }).length > 0

/** Whether one call of the kernel says that nothing is left, as after nearly every end: no search of /proc is then needed. */
export const isSurelyEmpty = (group: Group): boolean =>
  group.kind === 'uid' && group.root === undefined && !hasProcessOf(group.uid)

/** Signals one process if it still belongs to the group. */
export const signalMember = (pid: number, signal: number, group: Group): boolean =>
  signalIf(pid, signal, () => isMember(pid, group))

/** The first child of a process, as the kernel lists them in order of birth (proc(5), /proc/PID/task/TID/children). */
const firstChildOf = (pid: number): number | undefined =>
  fromProc(`/proc/${pid}/task/${pid}/children`, (text) => Number(text.split(' ')[0]) || undefined)

/** The process `generations` below another, each the first child of the one before it; undefined where there is none (yet). */
export const descendantOf = (pid: number, generations: number): number | undefined => {
  let current: number | undefined = pid
  for (let generation = 0; generation < generations && current !== undefined; generation += 1)
    current = firstChildOf(current)
  return current
}

/** Inode of a namespace of a process (namespaces(7)); undefined when it is gone or may not be looked at. */
export const namespaceOf = (pid: number, kind: NamespaceKind): number | undefined => {
  try {
    return Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/${kind}`))?.[0]) || undefined
  } catch {
    return undefined
  }
}

/**
 * What proves later that a process is still this one, and who belongs to it; undefined when it is gone, or is in the launcher's
 * own process namespace: whoever took that for an instance's would end every process of this user.
 */
export const firstProcessOf = (pid: number): FirstProcess | undefined => {
  const stat = statOf(pid)
  const namespace = namespaceOf(pid, 'pid')
  if (stat === undefined || namespace === undefined || namespace === namespaceOf(process.pid, 'pid')) return undefined
  return { pid, startTicks: stat.startTicks, namespace }
}
