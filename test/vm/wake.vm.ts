// A whole `tenement serve` on a kernel that has cgroup version 2 and nothing else: most machines of today, and none of those
// on which the other tests must run.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isAlive } from '../helpers/processes.ts'
import { apps, startTenement, type Tenement } from '../helpers/tenement.ts'
import { waitUntil } from '../helpers/waitUntil.ts'
import { requireVirtualMachine } from './virtualMachine.ts'

const memoryBytes = 200 * 1024 ** 2

const serviceOf = (isolation: string): string => `
[service.${isolation}]
command = "node app.mjs"
cwd = "${apps}"
isolation = "${isolation}"
data = "{data_dir}/{name}/{id}"
start_timeout = "5m"
stop_timeout = "5s"
memory_max = "200MB"
pids_max = 60
cpu_max = 0.5
`

const config = `
${serviceOf('namespace')}
${serviceOf('sandbox')}
${serviceOf('none')}
idle_timeout = "1s"
[instances]
namespace = ["alice"]
sandbox = ["alice", "bob"]
none = ["alice"]
`

/** The one directory of a process: where there is version 2 alone, /proc/PID/cgroup is one line (cgroups(7)). */
const cgroupOf = (pid: number): string => {
  const [line = '', ...others] = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')
  expect(others).toEqual([])
  return join('/sys/fs/cgroup', line.replace('0::', ''))
}

const knob = (directory: string, name: string): string => readFileSync(join(directory, name), 'utf8').trim()

describe('a tenement where there is cgroup version 2 alone', () => {
  let tenement: Tenement
  beforeAll(async () => {
    requireVirtualMachine()
    tenement = await startTenement({ config, settings: 'hold_timeout = "5m"' })
  })
  afterAll(() => tenement?.stop())

  const wake = async (host: string): Promise<number> => {
    const { status, body } = await tenement.ask(`${host}.test`)
    expect([status, body]).toEqual([200, `hello from ${host.split('.').reverse().join(':')}`])
    return (await tenement.status(host.split('.').reverse().join(':'))).pid
  }

  test('finds that its machine keeps every promise about resources', async () => {
    const { exitCode, stdout } = await tenement.command('check', '--json')
    const { adapters } = JSON.parse(stdout)
    const lost = adapters.flatMap((adapter: { lost: { capability: string }[] }) => adapter.lost)
    expect(lost.filter(({ capability }: { capability: string }) => capability.startsWith('res.'))).toEqual([])
    expect(exitCode).toBe(0)
  })

  for (const isolation of ['namespace', 'sandbox'])
    test(`a request wakes an instance of "${isolation}" within its bounds, and a stop leaves nothing of it`, async () => {
      const pid = await wake(`alice.${isolation}`)
      const directory = cgroupOf(pid)
      expect(knob(directory, 'memory.max')).toBe(String(memoryBytes))
      expect(knob(directory, 'pids.max')).toBe('60')
      expect(knob(directory, 'cpu.max')).toBe('50000 100000')
      await tenement.ask(`alice.${isolation}.test`, { path: '/leave?seconds=1000' })
      const processes = knob(directory, 'cgroup.procs').split('\n').map(Number)
      expect(processes.length).toBeGreaterThan(1)
      expect((await tenement.command('stop', `${isolation}:alice`)).exitCode).toBe(0)
      expect(processes.filter(isAlive)).toEqual([])
      await waitUntil(() => !existsSync(directory))
    })

  test('an instance that nobody uses sleeps, and the next request wakes another process', async () => {
    // As it says itself, since it may be gone before its status is there. Without confinement it says what the machine would.
    const pidOf = async (): Promise<number> =>
      JSON.parse((await tenement.ask('alice.none.test', { path: '/whoami' })).body).pid
    const first = await pidOf()
    await waitUntil(async () => (await tenement.status('none:alice')).phase === 'asleep')
    expect(isAlive(first)).toBe(false)
    expect(await pidOf()).not.toBe(first)
  })

  test('an instance over its memory is ended whole and its status says why, while its neighbour lives', async () => {
    const neighbour = await wake('bob.sandbox')
    const directory = cgroupOf(await wake('alice.sandbox'))
    const { status } = await tenement.ask('alice.sandbox.test', { path: `/hoard?bytes=${memoryBytes}` })
    expect(status).toBe(502)
    await waitUntil(async () => (await tenement.status('sandbox:alice')).lastExit?.outOfMemory === true)
    await waitUntil(() => !existsSync(directory))
    expect((await tenement.status('sandbox:bob')).pid).toBe(neighbour)
  })
})
