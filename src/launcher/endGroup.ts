// Ends every process of a group, whatever they do meanwhile: at one stroke where the kernel has one, else by stopping them all, so that a
// storm of forks comes to rest, and killing what was stopped.
import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { atKillersTurn } from './killersTurn.ts'
import { killUid, nobodysUid } from './libc/killUid.ts'
import { signalIf } from './libc.ts'
import {
  type FirstProcess,
  type Group,
  isDead,
  isSurelyEmpty,
  isUidAlive,
  lookFor,
  membersOf,
  signalMember,
  statOf,
} from './processes.ts'

/** Longest that is waited for a namespace to come to its end before its processes are looked for one by one, in milliseconds. */
const namespaceEndMs = 100

/**
 * Resolves when the namespace is gone whole, or is not for a while: what is searched in /proc before that is only what dies
 * anyway, and each search of it takes a millisecond for every few hundred processes of the machine.
 */
const killFirst = async (first: FirstProcess): Promise<void> => {
  const isThere = (): boolean => statOf(first.pid)?.startTicks === first.startTicks
  signalIf(first.pid, constants.signals.SIGKILL, isThere)
  const startedAt = performance.now()
  for (let waitedMs = 0; isThere() && !isDead(first.pid) && waitedMs < namespaceEndMs; ) {
    await delay(1)
    waitedMs = performance.now() - startedAt
  }
}

/**
 * All of a uid at one stroke. Left to the passes over /proc where that cannot be: without root, and in a container that has no
 * uid to spare for it.
 */
const killAtOnce = (group: Group): void => {
  if (group.kind !== 'uid' || process.geteuid?.() !== 0) return
  const { uid } = group
  atKillersTurn(() => {
    if (isUidAlive(nobodysUid)) return
    try {
      killUid(uid)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
    }
  })
}

/** Passes over /proc in search of processes that still run: each finds those born while the one before it was under way. */
const haltPasses = 10

/** Stops the group: what is stopped cannot fork, so a storm of forks comes to rest and can then be killed whole. */
const halt = (group: Group): void => {
  let isMoving = true
  for (let pass = 0; pass < haltPasses && isMoving; pass += 1) {
    isMoving = false
    lookFor(group, (pid) => {
      if (statOf(pid)?.state === 'T') return
      isMoving = true
      signalMember(pid, constants.signals.SIGSTOP, group)
    })
  }
}

/** Longest that is waited for processes to have become what they execute, in milliseconds: a slow disk, a virtual machine. */
const untoldMs = 2_000

/**
 * Kills every process of a group and resolves when none is left. `onStuck` is told once after ten seconds: a process in
 * an uninterruptible wait of the kernel dies only when that ends. No process is started for it: one of the tenant's uid, even one
 * that was to kill the others, could be stopped by them.
 */
export const endGroup = async (group: Group, onStuck: (pids: readonly number[]) => void): Promise<void> => {
  const startedAt = performance.now()
  let isReported = false
  if (isSurelyEmpty(group)) return
  // A namespace ends at one stroke with its first process; where there is none, a uid does.
  if (group.first === undefined) killAtOnce(group)
  else await killFirst(group.first)
  let unsureSince: number | undefined
  for (let passes = 1; ; passes += 1) {
    if (isSurelyEmpty(group)) return
    const { members, isSure } = lookFor(group)
    if (members.length === 0) {
      unsureSince ??= performance.now()
      // Bounded, since a stranger may look so for ever.
      if (isSure || performance.now() - unsureSince > untoldMs) return
    } else {
      unsureSince = undefined
      halt(group)
      for (const pid of membersOf(group)) signalMember(pid, constants.signals.SIGKILL, group)
      if (!isReported && performance.now() - startedAt > 10_000) {
        onStuck(members)
        isReported = true
      }
    }
    // The first looks come quickly: most processes are gone a millisecond after SIGKILL.
    await delay(Math.min(passes, 100))
  }
}
