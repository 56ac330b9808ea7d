// Instances that use up what all share, beside a neighbour that is asked all the while. Each bomb has a most of its own, so that
// no machine suffers where a bound is missing.
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { probeResources } from '../../src/cgroups/probe.ts'
import { residentMegabytes } from '../helpers/processes.ts'
import { isRoot } from '../helpers/root.ts'
import { newTenantUids } from '../helpers/tenantUids.ts'
import { apps, startTenement, type Tenement } from '../helpers/tenement.ts'
import { waitUntil } from '../helpers/waitUntil.ts'
import { isolationLine, type Level, levels, makeRoot } from './harness.ts'
import { type Asking, keepAsking, memoryPeakOf, processesOf, processorSecondsOf, throttledOf } from './neighbour.ts'

const mebibyte = 1024 ** 2
const most = { processes: 40, memoryBytes: 64 * mebibyte, cpus: 0.5, openFiles: 512, tmpBytes: 128 * mebibyte }
/** A /tmp that is smaller than the memory, and one that is larger. */
const smallTmpBytes = 8 * mebibyte

/** So little that it is held back on a busy machine too. */
const spinningCpus = 0.1

const ids = [
  'processes',
  'threads',
  'zombies',
  'orphans',
  'memory',
  'memfd',
  'pipes',
  'sockets',
  'tmpfs',
  'user',
  'spin',
  'log',
  'beside',
]

const confined = levels.filter((level) => level !== 'none')

const support = probeResources()
const whyNot = isRoot
  ? Object.values(support).find((each) => each !== 'enforced')?.reason
  : 'only root has uids and cgroups to bound tenants by on every machine'

const serviceOf = (name: string, level: Level, memoryBytes: number, more: string): string => `
[service.${name}]
command = "python3 bomb.py"
cwd = "${apps}"
${isolationLine(level)}
listen = "fd"
data = "{data_dir}/{name}/{id}"
stop_timeout = "300ms"
memory_max = "${memoryBytes / mebibyte}MB"
pids_max = ${most.processes}
cpu_max = ${most.cpus}
files_max = ${most.openFiles}
${more}
[service.${name}.tenant.spin]
cpu_max = ${spinningCpus}`

const tmpSize = (bytes: number): string => `tmp_size = "${bytes / mebibyte}MB"`

const config = [
  ...levels.map((level) => serviceOf(level, level, most.memoryBytes, level === 'none' ? '' : tmpSize(most.tmpBytes))),
  ...confined.map((level) => serviceOf(`small-${level}`, level, 2 * most.memoryBytes, tmpSize(smallTmpBytes))),
  `[service.neighbour]
command = "node app.mjs"
cwd = "${apps}"
${isolationLine('sandbox')}
listen = "fd"
[instances]
neighbour = ["alice"]`,
  ...levels.map((level) => `${level} = ${JSON.stringify(ids)}`),
  ...confined.map((level) => `small-${level} = ["fill"]`),
].join('\n')

/** As many as there are instances. */
const tenantUids = {
  first: newTenantUids().first,
  last: [1, 2, 3, 4, 5, 6].map(() => newTenantUids().last).at(-1) ?? 0,
}
let root: string
let tenement: Tenement
let asking: Asking
beforeAll(async () => {
  if (whyNot !== undefined) return
  root = makeRoot()
  tenement = await startTenement({ root, config, tenantUids })
}, 60_000)
afterAll(async () => {
  if (whyNot !== undefined) return
  await tenement.stop()
  rmSync(root, { recursive: true, force: true })
})
beforeEach(({ skip }) => {
  if (whyNot !== undefined) skip(whyNot)
  asking = keepAsking(tenement, 'alice.neighbour.test', 'hello from neighbour:alice')
})

interface Got {
  readonly done?: number
  /** By which errno or error; null where it met no bound. */
  readonly refused?: string | null
  /** How the bomb was ended, where it was: below zero by a signal. */
  readonly ended?: number
}

const bomb = async (host: string, kind: string, count: number, where = ''): Promise<Got> => {
  const path = `/bomb?${new URLSearchParams({ kind, most: String(count), where })}`
  const { status, body } = await tenement.ask(`${host}.test`, { method: 'POST', path })
  if (status !== 200) return { ended: status }
  return JSON.parse(body)
}

/** An answer, so that it runs; then what the machine knows it by. */
const wake = async (service: string, id: string): Promise<{ readonly pid: number; readonly uid: number }> => {
  expect(await tenement.ask(`${id}.${service}.test`)).toMatchObject({ status: 200, body: 'here' })
  return tenement.status(`${service}:${id}`)
}

const tasksOf = (uid: number): number => processesOf(uid).reduce((sum, { threads }) => sum + threads, 0)

describe.each(levels)('beside an instance of "%s" its neighbour is answered, and it', (level) => {
  afterEach(async () => {
    if (whyNot === undefined) expect(await asking.finish()).toEqual([])
  })

  test.each([
    ['processes', 'row 47'],
    ['threads', 'row 48'],
    ['zombies', 'row 48'],
  ])('is refused more %s than it may have, and they end with it (%s, blocked)', async (kind) => {
    const { uid } = await wake(level, kind)
    const { done, refused } = await bomb(`${kind}.${level}`, kind, 120)
    expect(refused).toMatch(/EAGAIN|can't start new thread/)
    expect(done).toBeGreaterThan(most.processes / 2)
    expect(tasksOf(uid)).toBeLessThanOrEqual(most.processes)
    await tenement.command('stop', `${level}:${kind}`)
    expect(processesOf(uid).filter(({ isZombie }) => !isZombie)).toEqual([])
    // What is left is the machine's to reap.
    await waitUntil(() => processesOf(uid).length === 0)
    expect((await tenement.status(`${level}:${kind}`)).lastExit.refusedForks).toBeGreaterThan(0)
  })

  test('leaves no dead processes that nobody waits for (row 48, blocked)', async () => {
    const { uid } = await wake(level, 'orphans')
    const { refused } = await bomb(`orphans.${level}`, 'orphans', 120)
    // Without a first process of its own they wait for the machine's, and count as its own until then.
    if (level !== 'none') expect(refused).toBe(null)
    await waitUntil(() => processesOf(uid).every(({ isZombie }) => !isZombie))
  })

  const memories = ['memory', 'memfd', 'pipes', 'sockets', ...(level === 'none' ? [] : ['tmpfs'])]
  test.each(memories)('holds no more than its bound in %s (row 49, blocked)', async (kind) => {
    const { pid } = await wake(level, kind)
    const { done, ended } = await bomb(`${kind}.${level}`, kind, (2 * most.memoryBytes) / mebibyte, '/tmp')
    expect(done).toBe(undefined)
    expect(ended).toBeDefined()
    // No answer of its own: then all of it was ended, and that is seen a moment later.
    if (ended !== undefined && ended > 0)
      await waitUntil(async () => (await tenement.status(`${level}:${kind}`)).pid !== pid)
    const after = await tenement.status(`${level}:${kind}`)
    // The kernel ends the largest process, and all of it where the cgroup says so; what holds memory without one goes last.
    if (after.pid === pid) expect(memoryPeakOf(pid)).toBe(most.memoryBytes)
    else expect(after.lastExit).toMatchObject({ signal: 'SIGKILL', outOfMemory: true })
  })

  test('fills no directory beyond its size (row 50)', async ({ skip }) => {
    if (level === 'none')
      skip("it has the machine's own directories, which are as large as they are: allowed by design")
    await wake(`small-${level}`, 'fill')
    const fill = (where: string): Promise<Got> => bomb(`fill.small-${level}`, 'fill', 96 * mebibyte, where)
    for (const [where, size] of [
      ['/tmp', smallTmpBytes],
      ['/dev/shm', 64 * mebibyte],
      ['/run', mebibyte],
    ] as const) {
      const { done, refused } = await fill(where)
      expect({ where, refused }).toEqual({ where, refused: 'ENOSPC' })
      expect(done).toBeGreaterThan(0)
      expect(done).toBeLessThanOrEqual(size)
    }
    // The folder of its program last but one, wherever it is shown to it.
    for (const where of ['/', '/dev', '/usr', '/etc', '.', '/sys'])
      expect({ where, ...(await fill(where)) }).toEqual({ where, done: 0, refused: 'EROFS' })
  })

  test('takes nothing of its neighbour when it has all that one user may have (row 54, blocked)', async () => {
    for (const [kind, count, refused] of [
      ['inotify', 300, 'EMFILE'],
      ['large pipes', 100, 'EPERM'],
    ] as const) {
      expect(await bomb(`user.${level}`, kind, count)).toMatchObject({ refused })
      expect(await bomb(`user.${level}`, kind, 1)).toMatchObject({ refused })
      expect(await bomb(`beside.${level}`, kind, 1)).toEqual({ done: 1, refused: null })
    }
  })

  test('spins on no more processors than it may have (row 55, blocked)', async () => {
    const { pid, uid } = await wake(level, 'spin')
    const earlier = throttledOf(pid)
    expect(await bomb(`spin.${level}`, 'spinners', 4)).toEqual({ done: 4, refused: null })
    const startedAt = performance.now()
    const before = processorSecondsOf(uid)
    await delay(2_000)
    // On a machine that is busy enough it would get no more anyway: that it was held back is what tells.
    await waitUntil(() => throttledOf(pid) > earlier, 6_000)
    const share = (processorSecondsOf(uid) - before) / ((performance.now() - startedAt) / 1_000)
    // A tenth of a second is what a period and the grain of the count may add.
    expect(share).toBeLessThan(spinningCpus + 0.1)
  })
})

describe('beside an instance that floods its log its neighbour is answered, and tenement', () => {
  afterEach(async () => {
    if (whyNot === undefined) expect(await asking.finish()).toEqual([])
  })

  test('keeps what it keeps of it within bounds (row 53, blocked)', async () => {
    await wake('sandbox', 'log')
    const before = residentMegabytes(tenement.process.pid ?? 0)
    // 20 MB each: a sixteenth of a MB at a time.
    for (const line of ['lines', 'endless', 'binary', 'terminal', 'empty'])
      expect(await bomb('log.sandbox', 'log', 320, line)).toEqual({ done: 320, refused: null })
    expect(residentMegabytes(tenement.process.pid ?? 0) - before).toBeLessThan(64)
    const logs = join(root, 'log', 'sandbox')
    const sizes = readdirSync(logs)
      .filter((name) => name.startsWith('log.log'))
      .map((name) => statSync(join(logs, name)).size)
    expect(sizes.length).toBeLessThanOrEqual(5)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10 * mebibyte)
    // What a log is allowed at once is ten megabytes, and one more a second: of a hundred most must have been dropped.
    expect(sizes.reduce((sum, each) => sum + each, 0)).toBeLessThan(40 * mebibyte)
  })
})
