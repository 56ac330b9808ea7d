import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { detectHomes, isHome } from '../../../src/cgroups/detect.ts'
import type { CgroupMachine } from '../../../src/cgroups/machine.ts'
import { lostResources, lostToNested, probeResources } from '../../../src/cgroups/probe.ts'

/** Other machines, as far as this code sees them: text of /proc, and directories with the files a cgroup has. */
describe('what a machine can bound', () => {
  let top: string
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'tenement-cgroups-'))
  })
  afterEach(() => rmSync(top, { recursive: true, force: true }))

  const makeCgroup = (path: string, controllers: string): string => {
    const directory = join(top, path)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'cgroup.controllers'), `${controllers}\n`)
    if (path !== '') writeFileSync(join(directory, 'cgroup.type'), 'domain\n')
    return directory
  }

  const row = (name: string, isEnabled = true): string => `${name}\t0\t1\t${isEnabled ? 1 : 0}`

  const machine = (over: Partial<CgroupMachine>): CgroupMachine => ({
    mountinfo: `1 2 0:3 / ${top} rw - cgroup2 cgroup2 rw`,
    selfCgroup: '0::/system.slice/tenement.service\n',
    kernelControllers: ['cpu', 'memory', 'pids', 'freezer'].map((name) => row(name)).join('\n'),
    isRoot: true,
    isManaged: true,
    canWrite: () => true,
    isDelegated: (unit) => unit === 'tenement.service',
    ...over,
  })

  /** Where each resource is kept, or why it is not. */
  const found = (over: Partial<CgroupMachine> = {}) => {
    const { memory, processes, cpu, kill } = detectHomes(machine(over))
    const show = (each: typeof memory) => (isHome(each) ? each.base.slice(top.length) : each.reason)
    return { memory: show(memory), processes: show(processes), cpu: show(cpu), kill: show(kill) }
  }

  const everywhere = (place: string) => ({ memory: place, processes: place, cpu: place, kill: place })

  test('a unit with Delegate=yes divides its own cgroup', () => {
    makeCgroup('', 'cpu memory pids')
    makeCgroup('system.slice/tenement.service', 'cpu memory pids')
    expect(found()).toEqual(everywhere('/system.slice/tenement.service'))
  })

  test('bounds of an instance that makes namespaces of its own are lost without root, unless the kernel keeps them', () => {
    makeCgroup('', 'cpu memory pids')
    makeCgroup('system.slice/tenement.service', 'cpu memory pids')
    const lost = (over: Partial<CgroupMachine>) => lostToNested(machine(over)).map(({ capability }) => capability)
    const kept = `1 2 0:3 / ${top} rw - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot`
    expect(lost({ isRoot: false }).sort()).toEqual(['res.cpu', 'res.memory', 'res.pids'])
    expect(lost({ isRoot: false, mountinfo: kept })).toEqual([])
    expect(lost({ isRoot: true })).toEqual([])
  })

  test('it still does once tenement has moved itself into the leaf "supervisor"', () => {
    makeCgroup('', 'cpu memory pids')
    makeCgroup('system.slice/tenement.service', 'cpu memory pids')
    expect(found({ selfCgroup: '0::/system.slice/tenement.service/supervisor\n' }).memory).toBe(
      '/system.slice/tenement.service',
    )
  })

  test('a cgroup that systemd did not delegate is left alone, and the fix names the key of the unit', () => {
    makeCgroup('', 'cpu memory pids')
    makeCgroup('system.slice/other.service', 'cpu memory pids')
    const over = { selfCgroup: '0::/system.slice/other.service\n', isDelegated: () => false }
    expect(found(over).memory).toContain('belongs to systemd')
    expect(probeResources(machine(over)).memory).toMatchObject({ fix: expect.stringContaining('Delegate=yes') })
  })

  test('a check in a terminal counts on the unit tenement is started by, when that one is delegated', () => {
    makeCgroup('', 'cpu memory pids')
    makeCgroup('user.slice/session-4.scope', 'cpu memory pids')
    const terminal = { selfCgroup: '0::/user.slice/session-4.scope\n' }
    expect(found(terminal).memory).toContain('belongs to systemd')
    expect(lostResources(probeResources(machine(terminal)))).toEqual([])
    expect(lostResources(probeResources(machine({ ...terminal, isDelegated: () => false })))).toHaveLength(3)
  })

  test('without a service manager root divides the whole tree', () => {
    makeCgroup('', 'cpu memory pids')
    makeCgroup('rc', 'cpu memory pids')
    expect(found({ isManaged: false, selfCgroup: '0::/rc\n' })).toEqual(everywhere(''))
  })

  test('an ordinary user without a cgroup of their own is told how to get one', () => {
    makeCgroup('', 'cpu memory pids')
    makeCgroup('user.slice', 'memory pids')
    const over = { isRoot: false, selfCgroup: '0::/user.slice\n', canWrite: () => false, isDelegated: () => false }
    expect(found(over).memory).toContain('may not be written by the user')
    expect(probeResources(machine(over)).memory).toMatchObject({ fix: expect.stringContaining('systemd-run --user') })
  })

  test('a controller that the user manager was not given is lost alone, with the drop-in for user@.service', () => {
    const own = 'user.slice/user@1000.service/run-1.scope'
    makeCgroup('', 'cpu memory pids')
    makeCgroup(own, 'memory pids')
    const over = {
      isRoot: false,
      selfCgroup: `0::/${own}\n`,
      isDelegated: (unit: string, isUser: boolean) => unit === 'run-1.scope' && isUser,
    }
    expect(found(over)).toMatchObject({ memory: `/${own}`, processes: `/${own}`, kill: `/${own}` })
    expect(lostResources(probeResources(machine(over)))).toEqual([
      {
        capability: 'res.cpu',
        reason: `the controller "cpu" is not handed down to the cgroup /${own}`,
        fix: expect.stringContaining('/etc/systemd/system/user@.service.d/delegate.conf'),
      },
    ])
  })

  test('a container whose cgroups are mounted read-only is told apart from a missing delegation', () => {
    makeCgroup('', 'cpu memory pids')
    expect(found({ isManaged: false, selfCgroup: '0::/\n', canWrite: () => false }).memory).toContain('read-only')
  })

  test('a controller that is off, absent or mounted nowhere has each its own reason and fix', () => {
    makeCgroup('', 'io')
    const kernelControllers = [row('memory', false), row('cpu')].join('\n')
    const support = probeResources(machine({ kernelControllers }))
    expect(support.memory).toMatchObject({ fix: expect.stringContaining('cgroup_enable=memory') })
    expect(support.processes).toMatchObject({ reason: expect.stringContaining('no cgroup controller "pids"') })
    expect(support.cpu).toMatchObject({ reason: expect.stringContaining('mounted nowhere') })
  })

  test('a machine without any cgroups has none, and is told to mount them', () => {
    const none = 'no cgroup file system is mounted'
    expect(found({ mountinfo: '', selfCgroup: '' })).toEqual(everywhere(none))
  })

  test('controllers of version 1 are root’s, each in its own tree, and its freezer is what kills', () => {
    const mounts = ['memory', 'pids', 'cpu', 'freezer'].map(
      (name) => `1 2 0:3 / ${join(top, name)} rw - cgroup cgroup rw,${name}`,
    )
    const over = {
      mountinfo: [...mounts, `1 2 0:3 / ${join(top, 'unified')} rw - cgroup2 cgroup2 rw`].join('\n'),
      selfCgroup: '4:memory:/a\n3:pids:/\n2:cpu:/\n1:freezer:/\n0::/\n',
    }
    expect(found(over)).toEqual({ memory: '/memory', processes: '/pids', cpu: '/cpu', kill: '/freezer' })
    expect(found({ ...over, isRoot: false }).memory).toContain('only root may use safely')
  })
})
