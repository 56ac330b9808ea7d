// Which processes belong to a run, read from /proc, and their end. A process is signalled only through a descriptor of it,
// after looking again that it belongs: a pid alone may have been given to somebody else.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { signalIf } from './libc.ts'

/** The environment variable by which the processes of a run are known where they share tenement's own uid. */
export const runMarker = 'TENEMENT_RUN'

/** How the processes of a run are known. A uid of its own cannot be shaken off; a marker in the environment can. */
export type Group =
  | { readonly kind: 'uid'; readonly uid: number }
  | { readonly kind: 'session'; readonly leader: number; readonly run: string }

/** Runs `read` on a file of /proc; undefined when the process is gone or may not be looked at. */
const fromProc = <T>(path: string, read: (text: string) => T): T | undefined => {
  try {
    return read(readFileSync(path, 'latin1'))
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
export const statOf = (pid: number): ProcessStat | undefined =>
  fromProc(`/proc/${pid}/stat`, (text) => {
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const number = (index: number): number => Number(fields[index])
    return { state: fields[0] ?? '', group: number(2), session: number(3), startTicks: number(19) }
  })

const isZombie = (pid: number): boolean => ['Z', 'X'].includes(statOf(pid)?.state ?? 'X')

const hasUid = (pid: number, uid: number): boolean =>
  fromProc(`/proc/${pid}/status`, (text) =>
    (/^Uid:\t(.*)$/m.exec(text)?.[1] ?? '').split('\t').some((each) => Number(each) === uid),
  ) ?? false

const hasMarker = (pid: number, run: string): boolean =>
  fromProc(`/proc/${pid}/environ`, (text) => text.split('\0').includes(`${runMarker}=${run}`)) ?? false

/** Whether a process is alive and of the group. */
export const isMember = (pid: number, group: Group): boolean => {
  if (isZombie(pid)) return false
  if (group.kind === 'uid') return hasUid(pid, group.uid)
  const stat = statOf(pid)
  return stat?.session === group.leader || stat?.group === group.leader || hasMarker(pid, group.run)
}

/** The living processes of a group. A zombie holds nothing and cannot act, so it does not count. */
const membersOf = (group: Group): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid && isMember(pid, group))

/** Signals one process if it still belongs to the group. */
export const signalMember = (pid: number, signal: number, group: Group): boolean =>
  signalIf(pid, signal, () => isMember(pid, group))

/** The first child of a process, as the kernel lists them in order of birth (proc(5), /proc/PID/task/TID/children). */
const firstChildOf = (pid: number): number | undefined =>
  fromProc(`/proc/${pid}/task/${pid}/children`, (text) => Number(text.split(' ')[0]) || undefined)

/** The application behind a program that made a process namespace for it: the child of the namespace's first process. */
export const applicationBehind = (pid: number): number | undefined => {
  const first = firstChildOf(pid)
  return first === undefined ? undefined : firstChildOf(first)
}

const stopThenKill = (group: Group): void => {
  // Stopped processes cannot fork: two passes of SIGSTOP catch children born between reading /proc and signalling.
  for (const signal of [constants.signals.SIGSTOP, constants.signals.SIGSTOP, constants.signals.SIGKILL])
    for (const pid of membersOf(group)) signalMember(pid, signal, group)
}

/** One kill(-1) from a process of that uid reaches all others of it in one step of the kernel, so a fork storm cannot outrun it (kill(2)). */
const killAllOfUid = (uid: number): Promise<void> =>
  new Promise((resolve) => {
    const killer = spawn('/bin/sh', ['-c', 'kill -9 -1'], {
      uid,
      gid: uid,
      env: {},
      cwd: '/',
      stdio: 'ignore',
      detached: true,
    })
    killer.once('exit', () => resolve())
    killer.once('error', () => resolve()) // nothing lost: the caller looks again and goes on one by one
  })

/**
 * Kills every process of a group and resolves when none is left. `onStuck` is told once after ten seconds: a process in
 * an uninterruptible wait of the kernel dies only when that ends.
 */
export const endGroup = async (group: Group, onStuck: (pids: readonly number[]) => void): Promise<void> => {
  const startedAt = performance.now()
  let isReported = false
  for (let passes = 1; membersOf(group).length > 0; passes += 1) {
    if (group.kind === 'uid') await killAllOfUid(group.uid)
    stopThenKill(group)
    const left = membersOf(group)
    if (left.length === 0) return
    if (!isReported && performance.now() - startedAt > 10_000) {
      onStuck(left)
      isReported = true
    }
    // The first looks come quickly: most processes are gone a millisecond after SIGKILL.
    await delay(Math.min(passes, 100))
  }
}
