import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createCgroups } from '../../../src/cgroups/cgroups.ts'
import { membershipsIn } from '../../../src/cgroups/hierarchies.ts'
import { type CgroupMachine, thisMachine } from '../../../src/cgroups/machine.ts'
import { signalIf } from '../../../src/launcher/libc.ts'
import { newRunDir, startIn } from '../../helpers/cgroups.ts'
import { newTenantUids } from '../../helpers/tenantUids.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

// A unit as systemd delegates one: a cgroup that holds the process that starts, with every controller handed down to it.
const top = '/sys/fs/cgroup'
const unit = join(top, `tenement-test-${process.pid}.service`)

const hasControllers = (): boolean => {
  try {
    return readFileSync(join(top, 'cgroup.controllers'), 'utf8').includes('memory')
  } catch {
    return false
  }
}

const move = (directory: string): void => writeFileSync(join(directory, 'cgroup.procs'), String(process.pid))

const makeUnit = (): CgroupMachine => {
  writeFileSync(join(top, 'cgroup.subtree_control'), '+memory +pids +cpu')
  mkdirSync(unit)
  move(unit)
  return { ...thisMachine(), isManaged: true, isDelegated: (name) => unit.endsWith(name) }
}

const removeAll = (directory: string): void => {
  for (const entry of readdirSync(directory, { withFileTypes: true }))
    if (entry.isDirectory()) removeAll(join(directory, entry.name))
  rmdirSync(directory)
}

const whyNot = (): string | undefined => {
  if (process.getuid?.() !== 0) return 'only root may stand for the service manager'
  if (!hasControllers()) return 'the version 2 tree of this machine has no controllers: `npm run test:vm` has them'
  return thisMachine().isManaged ? 'the tree belongs to the service manager of this machine' : undefined
}

afterEach(() => {
  if (whyNot() !== undefined) return
  move(top)
  removeAll(unit)
})

test('tenement moves out of a delegated cgroup into a leaf, and what it starts there is bounded', async ({ skip }) => {
  const reason = whyNot()
  if (reason !== undefined) skip(reason)
  const machine = makeUnit()
  const cgroups = createCgroups({ runDir: newRunDir(), signalIf, machine })
  expect(cgroups.support).toEqual({ memory: 'enforced', processes: 'enforced', cpu: 'enforced', kill: 'enforced' })
  expect(membershipsIn(readFileSync('/proc/self/cgroup', 'utf8')).get('')).toBe(`${unit.slice(top.length)}/supervisor`)

  const run = cgroups.make('bounded', { memoryBytes: 64 * 1024 ** 2, processes: 20, cpus: 0.5, cpuWeight: 50 })
  const eater = startIn(run, ['python3', '-c', 'x = bytearray(256 * 1024 * 1024)'])
  await waitUntil(() => run.contains(eater.pid))
  expect(run.placeOf(eater.pid)).toMatch(new RegExp(`^:${unit.slice(top.length)}/tenement-[0-9a-f]{12}/bounded$`))
  expect(await eater.exited).toBe('SIGKILL')
  expect(run.causes()).toEqual({ outOfMemory: true, refusedForks: 0 })
  const directory = join(unit, readdirSync(unit).find((name) => name.startsWith('tenement-')) ?? '', 'bounded')
  const knob = (name: string): string => readFileSync(join(directory, name), 'utf8').trim()
  expect(knob('memory.max')).toBe(String(64 * 1024 ** 2))
  expect(Number(knob('memory.high'))).toBeLessThan(64 * 1024 ** 2)
  expect(knob('memory.oom.group')).toBe('1')
  expect(knob('cpu.max')).toBe('50000 100000')
  expect(knob('cpu.weight')).toBe('50')
  expect(knob('cgroup.max.descendants')).toBe('0')
  await run.remove()
  cgroups.close()
})

/** What systemd gives to the user of a unit that it delegates (systemd's CGROUP_DELEGATION.md). */
const giveTo = (uid: number): void => {
  for (const name of ['', 'cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'])
    chownSync(join(unit, name), uid, uid)
}

test('an ordinary user to whom a cgroup was delegated divides it without any right of root', async ({ skip }) => {
  const reason = whyNot()
  if (reason !== undefined) skip(reason)
  const machine = { ...makeUnit(), isRoot: false, canWrite: () => true }
  const uid = newTenantUids().first
  giveTo(uid)
  const held = 'read line && exec python3 -c "x = bytearray(256 * 1024 * 1024)"'
  const eater = spawn('/bin/sh', ['-c', held], { uid, gid: uid, stdio: ['pipe', 'ignore', 'ignore'] })
  const exited = once(eater, 'exit')
  process.seteuid?.(uid)
  try {
    const cgroups = createCgroups({ runDir: newRunDir(), signalIf, machine })
    expect(cgroups.support.memory).toBe('enforced')
    const run = cgroups.make('bounded', { memoryBytes: 64 * 1024 ** 2, processes: 20 })
    await run.join(eater.pid ?? 0)
    eater.stdin.end('\n')
    expect(await exited).toEqual([null, 'SIGKILL'])
    expect(run.causes().outOfMemory).toBe(true)
    await run.remove()
    cgroups.close()
  } finally {
    process.seteuid?.(0)
  }
})
