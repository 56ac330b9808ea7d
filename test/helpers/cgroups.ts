// Real cgroups of this machine, and processes that join them as an application does: before its first instruction.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync } from 'node:fs'
import { type Cgroups, createCgroups } from '../../src/cgroups/cgroups.ts'
import { type CgroupMachine, thisMachine } from '../../src/cgroups/machine.ts'
import type { RunCgroup } from '../../src/cgroups/runCgroup.ts'
import type { Resource } from '../../src/cgroups/support.ts'
import { signalIf } from '../../src/launcher/libc.ts'
import { newTenantUids } from './tenantUids.ts'

let last = 0

/** A place for a launcher that no other test has. */
export const newRunDir = (): string => {
  last += 1
  return `/test/${process.pid}/${last}`
}

export const makeTestCgroups = (machine?: CgroupMachine): Cgroups =>
  createCgroups({ runDir: newRunDir(), signalIf, ...(machine === undefined ? {} : { machine }) })

/** This machine as if it had nothing but its tree of version 2, whether that has controllers or not. */
export const onlyVersion2 = (): CgroupMachine => {
  const machine = thisMachine()
  const mounts = machine.mountinfo.split('\n').filter((line) => line.includes(' - cgroup2 '))
  return { ...machine, mountinfo: mounts.join('\n') }
}

/** Why a resource cannot be tested here; undefined where it must be kept. */
export const whyNot = (cgroups: Cgroups, wanted: readonly Resource[]): string | undefined => {
  const machine = thisMachine()
  if (!machine.isRoot) return 'only root is sure to have cgroups'
  const absent = wanted.map((each) => cgroups.support[each]).find((each) => each !== 'enforced')
  if (absent === undefined) return undefined
  // Where root alone writes a tree that has controllers, an absence is a fault of ours and no property of the machine.
  if (!machine.isManaged && machine.canWrite('/sys/fs/cgroup/memory')) throw new Error(absent.reason)
  if (!machine.isManaged && machine.canWrite('/sys/fs/cgroup/cgroup.controllers')) throw new Error(absent.reason)
  return absent.reason
}

export interface Joined {
  readonly child: ChildProcess
  readonly pid: number
  readonly output: () => string
  /** Resolves with what it exited with: a code, or the name of a signal. */
  readonly exited: Promise<number | string>
}

/** Starts a program in a run, as a uid that no other process has. */
export const startIn = (
  run: Pick<RunCgroup, 'joinFiles'>,
  argv: readonly string[],
  uid = newTenantUids().first,
): Joined => {
  const files = run.joinFiles()
  const joins = files.map((_, index) => `echo 0 >&${index + 3} && exec ${index + 3}>&-`)
  const script = [...joins, 'exec "$@"'].join(' && ')
  const drop = ['/usr/bin/setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--']
  const child = spawn('/bin/sh', ['-c', script, 'sh', ...drop, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe', ...files],
    env: { PATH: '/usr/bin:/bin' },
  })
  for (const file of files) closeSync(file)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  if (child.pid === undefined) throw new Error('the program did not start')
  // Not 'exit': what it wrote may still be in the pipe then.
  const exited = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  return { child, pid: child.pid, output: () => output, exited }
}
