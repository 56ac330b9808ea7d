// The program that connects the network of a run with the machine's: started outside of the run's namespaces with the run's own
// identity, while the application is held. It comes in through two descriptors, and needs nothing of ours: its uid owns the
// user namespace that owns the network (user_namespaces(7)). Whether it works is told by one line it writes, and by its end.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fchownSync } from 'node:fs'
import { Socket } from 'node:net'
import type { RunCgroup } from '../cgroups/runCgroup.ts'
import { messageOf } from '../errors.ts'
import type { Launch } from '../isolation/adapter.ts'
import type { Inherited } from './descriptors.ts'
import { withCgroup } from './inCgroup.ts'
import { ownerOfNetwork } from './libc/networks.ts'
import { openPipe } from './libc.ts'
import { withTenantScore } from './limits.ts'
import type { RunNetwork } from './networks.ts'

export interface Uplink {
  readonly pid: number
  /** Resolves when it has ended, with how. */
  readonly ended: Promise<string>
  kill(): void
}

/** Longest that it may take, in milliseconds: as long as making the sandbox may. */
const deadlineMs = 30_000

/** Longest that is kept of what it says about its failure. */
const wordsBytes = 1_000

export interface UplinkPlan {
  readonly network: RunNetwork
  readonly command: Launch['argv']
  readonly identity: Launch['identity']
  /** It works for the instance, so what it takes is counted as the instance's. */
  readonly cgroup: RunCgroup | undefined
}

/** Resolves when everything is in place; rejects, with the program ended, in its own words. */
export const startUplink = async (plan: UplinkPlan): Promise<Uplink> => {
  const { readEnd, writeEnd } = openPipe()
  const ready = new Socket({ fd: readEnd, readable: true, writable: false })
  const child = start(plan, writeEnd)
  let words = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    if (words.length < wordsBytes) words += chunk.toString('utf8')
  })
  const ended = endOf(child)
  try {
    await inPlace(ready)
    if (child.pid === undefined) throw new Error('it has no pid')
    return { pid: child.pid, ended, kill: () => void child.kill('SIGKILL') }
  } catch (error) {
    child.kill('SIGKILL')
    const how = await ended
    throw new Error(`"${plan.command[0]}" did not connect the network: ${words.trim() || messageOf(error)} (${how})`, {
      cause: error,
    })
  } finally {
    ready.destroy()
  }
}

const start = ({ network, command, identity, cgroup }: UplinkPlan, line: number): ChildProcess => {
  const opened = [line]
  const keep = (fd: number): number => {
    opened.push(fd)
    return fd
  }
  try {
    // It may be opened by its name in /proc, for which the mode counts.
    if (identity !== undefined) fchownSync(line, identity.uid, identity.gid)
    const inherited: Inherited[] = [network.fd, keep(ownerOfNetwork(network.fd)), line]
    const [program, ...args] = withCgroup(command, cgroup, inherited, keep)
    return withTenantScore(() =>
      spawn(program, args, {
        cwd: '/',
        env: {},
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe', ...inherited],
        ...identity,
      }),
    )
  } finally {
    for (const fd of opened) closeSync(fd)
  }
}

const endOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    // After 'close' nothing of what it said is still to come.
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`))
    child.once('error', (error) => resolve(messageOf(error)))
  })

/** The first byte means it; an end without one, that the program has ended or closed its end. */
const inPlace = (ready: Socket): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`it took more than ${deadlineMs / 1_000} seconds`)), deadlineMs)
    const settle = (act: () => void) => () => {
      clearTimeout(timer)
      act()
    }
    ready.once('data', settle(resolve))
    ready.once(
      'close',
      settle(() => reject(new Error('it ended before'))),
    )
    ready.once(
      'error',
      settle(() => reject(new Error('it cannot be heard'))),
    )
  })
