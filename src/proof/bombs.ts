// Attacks that use up what all share, each against the bound that its instance was given (rows 47 to 55). How far it came is read
// off the machine: the processes of its uid, what the kernel counted, the files there are.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { Actor } from './scene.ts'
import { becomesTrue, processesOf, processorSecondsOf, type Seen, type Trial, type TrialGround, tell } from './trial.ts'

const mebibyte = 1024 ** 2

/** Node alone has a dozen threads, which count as well. */
const mostProcesses = 48
const triedProcesses = 200
const mostMemory = 128 * mebibyte
const mostTmp = 8 * mebibyte
/** Of what no key bounds, such as /dev/shm, there is some end. */
const triedToFill = 96 * mebibyte
const mostStored = 16 * mebibyte
const mostProcessors = 0.25

const seen = (...against: readonly (string | undefined)[]): Seen => ({
  against: against.filter((each) => each !== undefined),
})

/** The kernel counted that it refused a process; without that it was no bomb. */
const wereForksRefused = async (actor: Actor, { conductor }: TrialGround): Promise<string | undefined> => {
  const count = processesOf(actor).length
  await actor.end()
  const { refusedForks } = await conductor.whenExited(actor.run)
  if (count > mostProcesses) return `it has ${count} processes, and its bound is ${mostProcesses}`
  return refusedForks > 0 ? undefined : `${count} processes were counted, and the kernel says that it refused none`
}

const fillsMemory = async (actor: Actor, { conductor }: TrialGround): Promise<Seen> => {
  const said = await tell(actor, 'fill memory', { bytes: 2 * mostMemory }).catch(() => undefined)
  if (said !== undefined) return seen(`it filled ${said} MB, and its bound is ${mostMemory / mebibyte} MB`)
  const { outOfMemory } = await conductor.whenExited(actor.run)
  return outOfMemory ? seen() : { notRun: 'it ended, and the kernel says that its memory had not run out' }
}

const fillsTmp = async (actor: Actor): Promise<Seen> => {
  const found = await Promise.all(
    ['/tmp', '/dev/shm', '/run'].map(async (folder) => {
      const path = join(folder, 'filled')
      const answer = await tell(actor, 'fill a file', { path, bytes: triedToFill }).catch(messageOf)
      const size = sizeInside(actor, path) ?? writtenIn(answer)
      await tell(actor, 'remove a file', { path }).catch(() => undefined)
      const most = folder === '/tmp' ? mostTmp : triedToFill - 1
      return size > most ? `it wrote ${size} bytes to ${folder}` : undefined
    }),
  )
  return seen(...found)
}

/** As the machine sees it, where it may look. */
const sizeInside = (actor: Actor, path: string): number | undefined => {
  try {
    return statSync(`/proc/${actor.applications()[0]}/root${path}`).size
  } catch {
    return undefined
  }
}

/** What it says itself: where it could not even open the file, that was nothing. */
const writtenIn = (answer: string): number => (answer.startsWith('{') ? Number(JSON.parse(answer).written) : 0)

/** The launcher looks at least every ten seconds, and grants five to end; a machine may be busy. */
const noticedWithinMs = 20_000

const fillsData = async (actor: Actor, { conductor }: TrialGround): Promise<Seen> => {
  await tell(actor, 'fill a file', { bytes: mostStored + 4 * mebibyte })
  const withinMs = noticedWithinMs * conductor.patience
  const exit = await conductor.whenExited(actor.run, withinMs).catch(() => undefined)
  if (exit === undefined) return seen(`it keeps more than ${mostStored} bytes, and goes on after ${withinMs} ms`)
  return exit.endedFor === null ? { notRun: 'it ended by itself' } : seen()
}

const purgedWithinMs = 12_000

const leavesTree = async (actor: Actor, { conductor }: TrialGround): Promise<Seen> => {
  await tell(actor, 'grow a tree', { depth: 1_500 })
  await actor.end()
  const startedAt = performance.now()
  const withinMs = purgedWithinMs * conductor.patience
  const { dataDir: path, identity } = actor
  await conductor.ask<'purge'>({ type: 'purge', path, identity })
  const tookMs = Math.round(performance.now() - startedAt)
  return seen(
    readdirSync(join(path, '..')).includes(actor.service) ? 'its data is still there' : undefined,
    tookMs > withinMs ? `its data was removed only after ${tookMs} ms` : undefined,
  )
}

const mostLogged = 8 * mebibyte
/** Of the launcher, beyond what it had before: it keeps lines, never the flood. */
const mostGrowth = 64 * mebibyte

const floodsLog = async (actor: Actor, { conductor, place }: TrialGround): Promise<Seen> => {
  const before = residentBytes(conductor.launcherPid)
  await tell(actor, 'flood the log', { bytes: 4 * mostLogged })
  const grown = residentBytes(conductor.launcherPid) - before
  const logged = sizeBelow(place.policy.logDir)
  return seen(
    logged > mostLogged ? `its log takes ${logged} bytes` : undefined,
    grown > mostGrowth ? `the launcher grew by ${grown} bytes` : undefined,
  )
}

const residentBytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024

const sizeBelow = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce(
      (sum, entry) => sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    )

const takesWatches = async (actor: Actor, { neighbour }: TrialGround): Promise<Seen> => {
  const taken = await tell(actor, 'take watches', { most: 512 })
  return tell(neighbour, 'watch a directory').then(
    () => seen(),
    (error: unknown) => seen(`with ${taken} of them taken its neighbour gets none: ${messageOf(error).split('\n')[0]}`),
  )
}

const spins = async (actor: Actor, { conductor: { patience } }: TrialGround): Promise<Seen> => {
  // They go on for longer than they may take to begin.
  await tell(actor, 'spin', { count: 3, seconds: 5 * patience })
  const isSpinning = await becomesTrue(() => actor.applications().length > 6, 3_000 * patience)
  if (!isSpinning) return { notRun: 'it did not spin' }
  const pids = actor.applications()
  const [before, startedAt] = [processorSecondsOf(pids), performance.now()]
  await delay(1_500)
  const used = (processorSecondsOf(pids) - before) / ((performance.now() - startedAt) / 1_000)
  // A bound is kept over periods of 100 ms, and the clock ticks in hundredths.
  return used > mostProcessors * 1.5
    ? seen(`it used ${used.toFixed(2)} processors, and its bound is ${mostProcessors}`)
    : seen()
}

const withProcesses = [`pids_max = ${mostProcesses}`]

export const bombs: readonly Trial[] = [
  {
    row: '47',
    sentence: 'starts no more processes than its bound, however many it tries',
    bound: 'res.pids',
    lines: withProcesses,
    run: async (actor, ground) => {
      await tell(actor, 'start many processes', { count: triedProcesses })
      return seen(await wereForksRefused(actor, ground))
    },
  },
  {
    row: '48',
    sentence: 'leaves no more ended processes behind than its bound',
    bound: 'res.pids',
    lines: withProcesses,
    run: async (actor, ground) => {
      await tell(actor, 'leave zombies', { count: triedProcesses })
      return seen(await wereForksRefused(actor, ground))
    },
  },
  {
    row: '49',
    sentence: 'is ended, and nobody else, when it takes more memory than its bound',
    bound: 'res.memory',
    lines: [`memory_max = ${mostMemory}`],
    run: fillsMemory,
  },
  {
    row: '50',
    sentence: 'fills no more than its own /tmp, /run and /dev/shm',
    bound: 'fs.privateTmp',
    lines: [`tmp_size = ${mostTmp}`],
    run: fillsTmp,
  },
  {
    row: '51',
    sentence: 'is ended when it keeps more data than its bound',
    bound: 'disk.quota',
    lines: [`storage_max = ${mostStored}`],
    run: fillsData,
  },
  { row: '52', sentence: 'leaves no data that tenement cannot remove', run: leavesTree },
  { row: '53', sentence: 'fills neither the disk nor the launcher by its output', run: floodsLog },
  {
    row: '54',
    sentence: 'takes nothing from its neighbour that the kernel counts by uid',
    bound: 'user.perTenantUid',
    run: takesWatches,
  },
  {
    row: '55',
    sentence: 'takes no more of the processors than its bound',
    bound: 'res.cpu',
    lines: [`cpu_max = ${mostProcessors}`],
    run: spins,
  },
]
