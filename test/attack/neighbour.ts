// A client of an instance's neighbour that asks all the while, and what the machine shows of the instance beside it. No times are
// judged: on a machine that others use a p99 tells of them; that every request was answered does not depend on them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Tenement } from '../helpers/tenement.ts'
import { waitUntil } from '../helpers/waitUntil.ts'

export interface Asking {
  /** Ends when this many requests were made at least; resolves with the answers that were wrong. */
  finish(atLeast?: number): Promise<readonly string[]>
}

/** Asking without a pause would take a processor from whatever else the tests do. */
const pauseMs = 10

/** Asks the host one request after the other, each of which must be answered with this text. */
export const keepAsking = (tenement: Tenement, host: string, expected: string): Asking => {
  const wrong: string[] = []
  let count = 0
  let isFinishing = false
  let isOver = false
  const ask = async (): Promise<void> => {
    while (!isOver) {
      if (!isFinishing) await delay(pauseMs)
      const answer = await tenement.ask(host).catch((error: Error) => ({ status: 0, body: error.message }))
      if (answer.status !== 200 || answer.body !== expected) wrong.push(`${answer.status} ${answer.body}`)
      count += 1
    }
  }
  const asking = ask()
  return {
    finish: async (atLeast = 20) => {
      const from = count
      isFinishing = true
      await waitUntil(() => count >= from + atLeast, 30_000)
      isOver = true
      await asking
      return wrong
    },
  }
}

/** Directories of the cgroups that a process is in, whatever the version (cgroups(7)). */
const cgroupDirectories = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line) ?? [])
    .flatMap(([, controllers = '', path = '']) =>
      [controllers, 'unified', '.'].map((name) => join('/sys/fs/cgroup', name, path)),
    )

/** The text of the first of these files that the cgroups of a process have. */
const textOf = (pid: number, names: readonly string[]): string => {
  const files = cgroupDirectories(pid).flatMap((directory) => names.map((name) => join(directory, name)))
  const file = files.find((each) => existsSync(each))
  if (file === undefined) throw new Error(`no cgroup of ${pid} has ${names.join(' or ')}`)
  return readFileSync(file, 'utf8')
}

/** The most memory that its cgroup has held, in bytes. */
export const memoryPeakOf = (pid: number): number => Number(textOf(pid, ['memory.max_usage_in_bytes', 'memory.peak']))

/** How often its cgroup had to wait for the next period because its share of this one was used up. */
export const throttledOf = (pid: number): number =>
  cgroupDirectories(pid)
    .map((directory) => join(directory, 'cpu.stat'))
    .filter((file) => existsSync(file))
    .map((file) => Number(/^nr_throttled (\d+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0))
    .reduce((most, each) => Math.max(most, each), 0)

const statusOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1')
  } catch {
    return '' // it ended meanwhile
  }
}

/** Processes of a uid, those that have ended and wait to be reaped included: threads of each, and whether it has ended. */
export const processesOf = (uid: number): readonly { readonly threads: number; readonly isZombie: boolean }[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(statusOf)
    .filter((status) => status.includes(`\nUid:\t${uid}\t`))
    .map((status) => ({
      threads: Number(/^Threads:\t(\d+)$/m.exec(status)?.[1] ?? 1),
      isZombie: status.includes('\nState:\tZ'),
    }))

/** Seconds of processor time that the living processes of a uid have had (proc(5), /proc/PID/stat; 100 ticks a second). */
export const processorSecondsOf = (uid: number): number =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && statusOf(name).includes(`\nUid:\t${uid}\t`))
    .map((pid) => ticksOf(pid) / 100)
    .reduce((sum, each) => sum + each, 0)

const ticksOf = (pid: string): number => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? []
    return Number(fields[11]) + Number(fields[12])
  } catch {
    return 0 // it ended meanwhile
  }
}
