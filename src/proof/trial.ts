// One attack that an instance of its own makes and that only the machine can judge: what it needs to be safe, how it goes, and how
// what was seen becomes a row. The instances of trials are bounded by the adapter that is tried, so a bomb is set off only
// where its bound is promised and this machine keeps it.
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import type { Conductor } from './conductor.ts'
import type { Place } from './place.ts'
import { keepersOf, lostKeepersOf, type Where } from './promised.ts'
import type { AttackRow } from './report.ts'
import type { Actor, Scene } from './scene.ts'

export interface TrialGround {
  readonly scene: Scene
  readonly place: Place
  readonly conductor: Conductor
  readonly neighbour: Actor
  readonly where: Where
}

/** What was seen: nothing against it, or what got through; a string in `notRun` where nothing can be said. */
export type Seen = { readonly against: readonly string[] } | { readonly notRun: string }

export interface Trial {
  readonly row: string
  readonly sentence: string
  /** Without this promise, kept on this machine, it would harm more than the instance. */
  readonly bound?: string
  /** Lines of the instance's service, beside those of its isolation. */
  readonly lines?: readonly string[]
  /** Why it is no question for such an instance; undefined where it is one. */
  readonly whyNot?: (ground: TrialGround) => string | undefined
  readonly run: (actor: Actor, ground: TrialGround) => Promise<Seen>
}

export const runTrial = async (trial: Trial, ground: TrialGround): Promise<AttackRow> => {
  const { row, sentence, bound } = trial
  const { where } = ground
  const promisedBy = keepersOf(row, where)
  const as = (outcome: AttackRow['outcome'], because: readonly string[]): AttackRow => ({
    ...{ row, sentence, network: null, outcome, promisedBy, because },
  })
  const lost = lostKeepersOf(row, where)
  if (bound !== undefined && where.lost.has(bound))
    return as('not run', [`${bound} is lost here: it would endanger the machine`])
  if (bound !== undefined && !where.claims.has(bound))
    return as('allowed', [
      `nothing bounds it (${bound} is not promised), so it is not tried: it would endanger the machine`,
    ])
  const whyNot = trial.whyNot?.(ground)
  if (whyNot !== undefined) return as('not run', [whyNot])
  try {
    const seen = await runWith(trial, ground)
    if ('notRun' in seen) return as(promisedBy.length > 0 ? 'broken' : 'not run', [seen.notRun])
    if (seen.against.length === 0)
      return as('stopped', promisedBy.length > 0 ? [] : ['not promised: this machine stops it'])
    return as(promisedBy.length > 0 ? 'broken' : 'allowed', [
      ...seen.against,
      ...(lost.length > 0 ? [`lost here: ${lost.join(', ')}`] : []),
    ])
  } catch (error) {
    return as(promisedBy.length > 0 ? 'broken' : 'not run', [`it broke off: ${messageOf(error)}`])
  }
}

/** What its instance is called, service and tenant alike. */
export const serviceOf = ({ row }: Trial): string => `trial-${row.replaceAll('.', '-')}`

/** The neighbour must be served all the while: what harms it got through, whatever became of the attacker. */
const runWith = async (trial: Trial, ground: TrialGround): Promise<Seen> => {
  const actor = await ground.scene.start({
    name: serviceOf(trial),
    ...(trial.lines === undefined ? {} : { lines: trial.lines }),
  })
  try {
    await actor.post('/who', {})
    const seen = await trial.run(actor, ground)
    const harmed = await harmDoneTo(ground.neighbour, patienceMs * ground.conductor.patience)
    return 'notRun' in seen || harmed === undefined ? seen : { against: [...seen.against, harmed] }
  } finally {
    await actor.end()
  }
}

/** Long for an answer of microseconds, also where two processors are shared by everything. */
const patienceMs = 10_000

const harmDoneTo = async (neighbour: Actor, withinMs: number): Promise<string | undefined> => {
  try {
    await Promise.race([neighbour.post('/who', {}), rejectLater(withinMs)])
    return undefined
  } catch (error) {
    return `its neighbour does not answer any more: ${messageOf(error)}`
  }
}

const rejectLater = async (ms: number): Promise<never> => {
  await delay(ms, undefined, { ref: false })
  throw new Error(`not within ${ms} ms`)
}

/** What an instance is told to do; its answer is a tenant's word. */
export const tell = (
  actor: Actor,
  what: string,
  parameters: Readonly<Record<string, string | number>> = {},
): Promise<string> => {
  const query = new URLSearchParams({ what })
  for (const [name, value] of Object.entries(parameters)) query.set(name, String(value))
  return actor.post(`/do?${query}`, {})
}

/** Whether it came true before the deadline; asked again and again, since nobody reports it. */
export const becomesTrue = async (isSo: () => boolean, withinMs: number): Promise<boolean> => {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await delay(20)) if (isSo()) return true
  return isSo()
}

/** All processes of a tenant, those that confine it and those that ended and that nobody waited for included. */
export const processesOf = (actor: Actor): readonly number[] => {
  const { identity } = actor
  if (identity === undefined) return actor.applications()
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && statusOf(name).includes(`\nUid:\t${identity.uid}\t`))
    .map(Number)
}

const statusOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return '' // it has ended
  }
}

/** Processor time of processes, in seconds: utime and stime of proc_pid_stat(5), in hundredths whatever the kernel ticks (USER_HZ). */
export const processorSecondsOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? []
      return sum + (Number(fields[11]) + Number(fields[12])) / 100
    } catch {
      return sum
    }
  }, 0)
