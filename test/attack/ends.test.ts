// Attacks on how an instance ends and on what counts as its end. All evidence is what the machine shows of its processes.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { constants, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeStage } from '../../src/proof/stage.ts'
import { environmentOf, isAlive, withCommandLine } from '../helpers/processes.ts'
import { isRoot } from '../helpers/root.ts'
import { newTenantUids } from '../helpers/tenantUids.ts'
import { startTenement, type Tenement } from '../helpers/tenement.ts'
import { waitUntil } from '../helpers/waitUntil.ts'
import { applicationsOf, configOf, type Level, levels, makeRoot, post, tokenOf } from './harness.ts'

/** One that ended too often is not started for a while, so those that end by themselves are others each time. */
const ids = ['attacker', 'neighbour', 'second', 'third', 'fourth']

const tenantUids = { first: newTenantUids().first, last: newTenantUids().last }
let root: string
let stage: string
let tenement: Tenement
beforeAll(async () => {
  root = makeRoot()
  stage = makeStage(root)
  tenement = await startTenement({ root, config: configOf(stage, ids), tenantUids })
}, 60_000)
afterAll(async () => {
  await tenement.stop()
  rmSync(root, { recursive: true, force: true })
})

const newMark = (): string => `mark-${randomBytes(6).toString('hex')}`

const does = (
  level: Level,
  what: string,
  { id = 'attacker', ...parameters }: Readonly<Record<string, string>> = {},
): Promise<string> => post(tenement, `${id}.${level}`, `/do?${new URLSearchParams({ what, ...parameters })}`, {})

const who = async (level: Level, id = 'attacker'): Promise<number> =>
  JSON.parse(await post(tenement, `${id}.${level}`, '/who', {})).pid

/** What an instance left running, by the FIFO that all of it has open: no list of processes is as exact. */
const watchLasting = async (level: Level): Promise<{ readonly gone: Promise<unknown> }> => {
  const fd = openSync(join(root, 'data', level, 'attacker', 'alive'), constants.O_RDONLY | constants.O_NONBLOCK)
  const fifo = new Socket({ fd, readable: true, writable: false })
  const gone = once(fifo, 'end', { signal: AbortSignal.timeout(15_000) })
  gone.catch(() => undefined) // whoever awaits it hears of it
  await once(fifo, 'data')
  fifo.resume()
  return { gone }
}

/** Many times the stop_timeout of these services, for a busy machine: what outruns or stalls its stop does so for ever. */
const stopsWithinMs = 15_000

const stopInTime = async (level: Level): Promise<void> => {
  const startedAt = performance.now()
  expect(await tenement.command('stop', `${level}:attacker`)).toMatchObject({ exitCode: 0 })
  expect(performance.now() - startedAt).toBeLessThan(stopsWithinMs)
  expect(await tenement.status(`${level}:attacker`)).toMatchObject({ phase: 'asleep', pid: null })
}

describe.each(levels)('an instance of "%s"', (level) => {
  test('row 9, blocked: shows nobody its environment on a command line', async () => {
    await who(level)
    const applications = applicationsOf(`${level}:attacker`, tenement)
    expect(applications.flatMap(environmentOf)).toContain(`TOKEN=${tokenOf(level)}`)
    expect(withCommandLine(tokenOf(level))).toEqual([])
  })

  test('row 56, blocked: leaves no daemon behind that heeds no signal', async () => {
    await does(level, 'daemon')
    const { gone } = await watchLasting(level)
    await stopInTime(level)
    await gone
  })

  test('row 57, blocked: is not answered for by what it left with its listener', async () => {
    const mark = newMark()
    const id = 'second'
    const before = await who(level, id)
    await does(level, 'daemon with the listener', { id, mark })
    await waitUntil(() => withCommandLine(mark).length > 0)
    await does(level, 'exit', { id })
    await waitUntil(() => withCommandLine(mark).length === 0)
    const bodies: string[] = []
    await waitUntil(async () => {
      const answer = await tenement.ask(`${id}.${level}.test`, { path: '/who', method: 'POST', body: '{}' })
      bodies.push(answer.body)
      return answer.status === 200
    })
    expect(bodies).not.toContain('stale')
    expect(JSON.parse(bodies.at(-1) ?? '').pid === before && level === 'none').toBe(false)
  })

  test('row 58, blocked: does not outrun its end by a storm of forks', async ({ skip }) => {
    if (level === 'none' && !isRoot) skip('as one uid with everybody its processes are known by marks it can shed')
    await does(level, 'storm')
    const { gone } = await watchLasting(level)
    await stopInTime(level)
    await gone
  })

  test('row 63, blocked: does not stall its stop by stopping itself', async () => {
    await does(level, 'daemon')
    const { gone } = await watchLasting(level)
    await does(level, 'stop itself')
    const [application = 0] = applicationsOf(`${level}:attacker`, tenement)
    await waitUntil(() => readFileSync(`/proc/${application}/stat`, 'latin1').includes(') T '))
    await stopInTime(level)
    await gone
  })

  test('row 27, blocked by its uid: kills everything it can, and nobody else', async ({ skip }) => {
    if (level === 'none' && !isRoot) skip('as one uid with everybody it would kill whoever runs the tests')
    const neighbour = await who(level, 'neighbour')
    const server = await tenement.serverPid()
    await does(level, 'kill everything', { id: 'third' }).catch(() => undefined)
    expect(await who(level, 'third')).toBeGreaterThan(0)
    expect(await who(level, 'neighbour')).toBe(neighbour)
    expect(await tenement.serverPid()).toBe(server)
  })

  test('row 59, as declared: lives on when the server is killed, whatever it asked of its parent', async () => {
    await does(level, 'outlive its parent')
    const before = applicationsOf(`${level}:attacker`, tenement)
    process.kill(await tenement.serverPid(), 'SIGKILL')
    await who(level)
    expect(applicationsOf(`${level}:attacker`, tenement)).toEqual(before)
  })

  test('row 62, blocked: is ended whole when its monitor alone is killed', async ({ skip }) => {
    if (level === 'none') skip('it has no monitor')
    await who(level, 'fourth')
    const { pid } = await tenement.status(`${level}:fourth`)
    const before = applicationsOf(`${level}:fourth`, tenement)
    expect(before).not.toContain(pid)
    process.kill(pid, 'SIGKILL')
    await waitUntil(() => !before.some(isAlive))
    await waitUntil(async () => (await tenement.ask(`fourth.${level}.test`)).status === 200)
  })

  const isReached = level !== 'sandbox'
  test(`row 68, ${isReached ? 'allowed by design' : 'blocked'}: takes a port of the machine's`, async () => {
    const port = await freePort()
    await does(level, 'take a port', { port: String(port) })
    const socket = connect({ host: '127.0.0.1', port })
    const reached = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    expect(reached).toBe(isReached)
  })
})

const freePort = async (): Promise<number> => {
  const server = createServer().listen({ host: '0.0.0.0', port: 0 })
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return address !== null && typeof address === 'object' ? address.port : 0
}

describe('a launcher that comes after one that was killed', () => {
  test('rows 59 and 61, blocked: ends what it left, and nobody whom a false record names', async () => {
    for (const level of levels) await who(level)
    const left = levels.flatMap((level) => applicationsOf(`${level}:attacker`, tenement))
    expect(left.length).toBeGreaterThanOrEqual(levels.length)
    const innocent = spawn('/bin/sleep', ['600'], { detached: true })
    process.kill(tenement.process.pid ?? 0, 'SIGKILL')
    await waitUntil(() => tenement.process.signalCode !== null)
    plantRecord(innocent.pid ?? 0)
    tenement = await startTenement({ root, config: configOf(stage, ids), tenantUids })
    expect(left.filter(isAlive)).toEqual([])
    expect(isAlive(innocent.pid ?? 0)).toBe(true)
    innocent.kill()
  }, 40_000)

  /** As one would be whose pid somebody else has by now: all of it is true but the time at which the process began. */
  const plantRecord = (pid: number): void => {
    const folder = join(root, 'run', 'launcher')
    const [file = ''] = readdirSync(folder).filter((name) => /^[0-9a-f]{12}\.json$/.test(name))
    const record = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    writeFileSync(
      join(folder, 'aaaaaaaaaaaa.json'),
      JSON.stringify({ ...record, run: 'aaaaaaaaaaaa', pid, first: null }),
    )
  }
})
