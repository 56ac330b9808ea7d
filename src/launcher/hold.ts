// A program that makes a sandbox and then waits at its gate: how the launcher learns that it has come that far, and that the
// application has been executed. What it may be trusted for lies in /proc; it is never asked itself.
import { readFileSync, readlinkSync } from 'node:fs'
import type { Socket } from 'node:net'
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import type { Launch } from '../isolation/adapter.ts'
import type { Gate } from './descriptors.ts'
import { descendantOf } from './processes.ts'

/** Longest that making a sandbox may take, in milliseconds: a machine under load, a virtual one without hardware support. */
const deadlineMs = 30_000

export interface HeldProgram {
  readonly pid: number
  readonly depth: Launch['depth']
  readonly gate: Gate
  readonly prepared: Socket | undefined
  /** Whether it has ended. */
  readonly hasEnded: () => boolean
}

/** Where a program's file cannot be read the kernel hides what it runs from its own user (ptrace(2), PTRACE_MODE_READ). */
const hidden = 'a program that cannot be read'

const programOf = (pid: number): string => {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return hidden
    throw error
  }
}

const readOr = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch {
    return undefined // it is gone, or not there yet
  }
}

/** Number of read(2), by the names Node has for architectures (asm/unistd.h). */
const readCalls: Readonly<Record<string, number>> = { x64: 0, arm64: 63 }

/** Whether a process waits in read(2) on this descriptor, as /proc/PID/syscall tells (proc(5)). */
const isReading = (pid: number, fd: number): boolean =>
  readOr(() => readFileSync(`/proc/${pid}/syscall`, 'utf8'))?.startsWith(
    `${readCalls[process.arch] ?? -1} 0x${fd.toString(16)} `,
  ) ?? false

/** Looks again and again, at first in every turn of the event loop, until `look` finds something; undefined when it never will. */
const watch = async <T>(
  program: HeldProgram,
  look: () => T | undefined,
  what: string,
  withinMs = deadlineMs,
): Promise<T | undefined> => {
  const startedAt = performance.now()
  for (;;) {
    const found = look()
    if (found !== undefined || program.hasEnded()) return found
    const waitedMs = performance.now() - startedAt
    if (waitedMs > withinMs) throw new Error(`${what} within ${withinMs / 1_000} seconds`)
    // Usually a fraction of a millisecond away, which is less than a timer can count.
    await (waitedMs < 2 ? nextTurn() : delay(1))
  }
}

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once('close', () => resolve()))

/** Resolves with the namespace's first process once it waits at the gate; undefined when the program ended instead. */
export const untilHeld = async (program: HeldProgram): Promise<number | undefined> => {
  const { pid, depth, gate, prepared } = program
  if (prepared !== undefined && !prepared.closed)
    // A helper before the program may keep a copy of the mark open for ever: the gate is then looked at all the same.
    await Promise.race([closed(prepared), delay(100, undefined, { ref: false })])
  const look = (): number | undefined => {
    const first = descendantOf(pid, depth - 1)
    return first !== undefined && isReading(first, gate.number) ? first : undefined
  }
  return watch(program, look, 'the sandbox was not made')
}

/** Longest that whoever ordered a trace may take to begin it, in milliseconds. */
const tracerDeadlineMs = 10_000

/**
 * Resolves once somebody traces the held process (TracerPid in /proc/PID/status, proc(5)): its children are then traced from
 * their first instruction. Who that is the kernel has decided (ptrace(2)); the launcher traces nobody itself.
 */
export const untilTraced = (program: HeldProgram, first: number): Promise<unknown> => {
  const look = (): true | undefined =>
    /^TracerPid:\s+[1-9]/m.test(readOr(() => readFileSync(`/proc/${first}/status`, 'utf8')) ?? '') || undefined
  return watch(program, look, 'nobody began to trace it', tracerDeadlineMs)
}

/** Resolves with the application once it is no longer the program that made the sandbox; undefined when it ended before. */
export const untilExecuted = (program: HeldProgram, first: number): Promise<number | undefined> => {
  // The arguments last, and none is no answer: in the middle of execve(2) the program may look hidden, and its arguments are not there
  // before the kernel has settled who may look at it (begin_new_exec() of fs/exec.c, create_elf_tables() of fs/binfmt_elf.c).
  const identityOf = (pid: number): string | undefined =>
    readOr(() => {
      const program = programOf(pid)
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return args === '' ? undefined : `${program}\0${args}`
    })
  const before = identityOf(first)
  const look = (): number | undefined => {
    const application = descendantOf(first, 1)
    const now = application === undefined ? undefined : identityOf(application)
    return now === undefined || now === before ? undefined : application
  }
  return watch(program, look, 'the application was not executed')
}
