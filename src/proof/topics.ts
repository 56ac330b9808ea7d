// The rows that an instance tries by itself, topic by topic, each beside its benign twin. What it says can only speak against
// it: what is called stopped left no trace on the machine, and what got through left one wherever it can be counted.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tried } from '../attack/attempt.ts'
import { judge } from '../attack/judge.ts'
import type { Row } from '../attack/rows.ts'
import type { SharedNames, Targets } from '../attack/targets.ts'
import { messageOf } from '../errors.ts'
import type { Network } from '../isolation/adapter.ts'
import type { Canaries } from './canaries.ts'
import type { Conductor } from './conductor.ts'
import type { Place } from './place.ts'
import { keepersOf, lostKeepersOf, type Where, whyNotApplying } from './promised.ts'
import type { AttackRow } from './report.ts'
import type { Actor } from './scene.ts'

/** What the machine shows, by the row that would change it. */
type Evidence = Readonly<Record<string, unknown>>

/** Rows whose success leaves something on the machine's side that can be counted. */
const counted = ['12', '14.port', '14.path', '15', '16', '27', '66']

export interface Stand {
  readonly attacker: Actor
  readonly neighbour: Actor
  readonly targets: Targets
  readonly canaries: Canaries
}

/** What an attacker of this place aims at. */
export const aim = async (
  { place, conductor, secret }: { readonly place: Place; readonly conductor: Conductor; readonly secret: string },
  canaries: Canaries,
  attacker: Actor,
  neighbour: Targets['neighbour'],
): Promise<Targets> => {
  const { file, socket, abstractSocket, addresses, key, setUidProgram } = canaries
  return {
    machine: {
      file,
      directories: [place.policy.stateDir, place.policy.logDir],
      sockets: [socket, join(place.policy.runDir, 'control.sock')],
      abstractSocket,
      addresses,
      processes: [conductor.launcherPid, conductor.serverPid()],
      secret,
      cgroups: cgroupsOf(attacker.applications()[0] ?? attacker.pid),
      ...(setUidProgram === undefined ? {} : { setUidProgram }),
      ...(key === undefined ? {} : { key }),
    },
    neighbour,
  }
}

/** Becomes a neighbour with something to lose. */
export const settleNeighbour = async (neighbour: Actor, shared: SharedNames): Promise<Targets['neighbour']> => {
  const { port, sockets, abstractSocket } = JSON.parse(await neighbour.post('/neighbour', shared))
  const [pid] = neighbour.applications()
  if (pid === undefined) throw new Error('the neighbour has no process on this machine')
  return { pid, dataDir: neighbour.dataDir, sockets, abstractSocket, port, shared }
}

/** Directories of the cgroups that a process is in (cgroups(7), /proc/PID/cgroup). */
const cgroupsOf = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line) ?? [])
    .flatMap(([, controllers = '', path = '']) =>
      ['unified', '.', controllers.replace('name=', '')].map((name) => join('/sys/fs/cgroup', name, path)),
    )
    .filter((path, index, all) => existsSync(path) && all.indexOf(path) === index)

/** Has the attacker run the topic of these rows, and judges each of them. An attack that breaks off proves nothing, so what it would prove is broken. */
export const runTopic = async (own: readonly Row[], stand: Stand, where: Where): Promise<readonly AttackRow[]> => {
  const topic = own[0]?.topic ?? ''
  const network = topic === 'network' ? where.network : null
  try {
    const look = async (): Promise<Evidence> => ({
      ...(await stand.canaries.look()),
      ...(await heardBy(stand.neighbour)),
    })
    stand.canaries.replant()
    const before = await look()
    const tried = byRow(await stand.attacker.post(`/attack?topic=${topic}`, stand.targets))
    const after = await look()
    return own.map((row) => rowOf(row, tried.get(row.row), { before, after }, where, network))
  } catch (error) {
    return own.map((row) => unproved(row, `the attack broke off: ${messageOf(error)}`, where, network))
  }
}

const heardBy = async (neighbour: Actor): Promise<Evidence> => {
  const { connections, signals, shared } = JSON.parse(await neighbour.post('/heard', {}))
  return {
    '14.port': connections.port,
    '14.path': connections.path,
    '15.neighbour': connections.abstract,
    '27': signals,
    '66': shared,
  }
}

const byRow = (printed: string): ReadonlyMap<string, Tried> => {
  const lines = printed.split('\n').filter((line) => line !== '')
  const parsed: readonly (Tried & { readonly failed?: string })[] = lines.map((line) => JSON.parse(line))
  const failed = parsed.find((each) => each.failed !== undefined)
  if (failed !== undefined) throw new Error(failed.failed)
  return new Map(parsed.map((tried) => [tried.row, tried]))
}

/** A row of which nothing was shown: what was promised counts as broken, since nothing says that it is kept. */
export const unproved = (
  { row, sentence, why }: Pick<Row, 'row' | 'sentence' | 'why'>,
  reason: string,
  where: Where,
  network: Network | null,
): AttackRow => {
  const notApplying = whyNotApplying(row, where)
  if (notApplying !== undefined)
    return { row, sentence, network, outcome: 'not run', promisedBy: [], because: [notApplying] }
  const promisedBy = keepersOf(row, where)
  return promisedBy.length > 0
    ? { row, sentence, network, outcome: 'broken', promisedBy, because: [reason] }
    : { row, sentence, network, outcome: 'not run', promisedBy, because: [reason, ...(why === undefined ? [] : [why])] }
}

const rowOf = (
  row: Row,
  tried: Tried | undefined,
  evidence: { readonly before: Evidence; readonly after: Evidence },
  where: Where,
  network: Network | null,
): AttackRow => {
  const notApplying = whyNotApplying(row.row, where)
  if (tried === undefined || notApplying !== undefined)
    return unproved(row, 'the attacks told nothing of it', where, network)
  const promisedBy = keepersOf(row.row, where)
  const base = { row: row.row, sentence: row.sentence, network, promisedBy }
  const promised = promisedBy.length > 0 ? 'blocked' : 'depends on the machine'
  const { found, isKept, because } = judge(row, tried, { promised, hasOwnUid: true })
  const traces = tracesOf(row.row, evidence)
  if (promisedBy.length === 0) {
    if (found === 'got through' && counted.includes(row.row) && traces === undefined)
      return { ...base, outcome: 'not run', because: ['it says it got through, and the machine shows no trace of it'] }
    return { ...base, ...unpromised(row, tried, found, isKept, where) }
  }
  if (isKept === undefined) return { ...base, outcome: 'not run', because: ['nothing here to try it on', ...because] }
  if (isKept && traces !== undefined) return { ...base, outcome: 'broken', because: [traces] }
  return { ...base, outcome: isKept ? 'stopped' : 'broken', because }
}

/** Said as it is: what a machine stops by itself today is no promise for tomorrow. */
const unpromised = (
  row: Row,
  tried: Tried,
  found: string,
  isKept: boolean | undefined,
  where: Where,
): Pick<AttackRow, 'outcome' | 'because'> => {
  const lost = lostKeepersOf(row.row, where)
  const reasons = [
    ...(lost.length > 0 ? [`lost here: ${lost.join(', ')}`] : []),
    ...(row.why === undefined || lost.length > 0 ? [] : [row.why]),
  ]
  if (isKept === false || tried.twin.outcome === 'failed')
    return { outcome: 'not run', because: ['the attack itself failed'] }
  if (found === 'got through') return { outcome: 'allowed', because: reasons }
  if (found === 'blocked') return { outcome: 'stopped', because: ['not promised: this machine stops it', ...reasons] }
  return { outcome: 'not run', because: ['nothing here to try it on'] }
}

/** What changed on the machine though it was called stopped, in words; undefined where nothing did. */
const tracesOf = (
  row: string,
  { before, after }: { readonly before: Evidence; readonly after: Evidence },
): string | undefined => {
  const changed = Object.keys(after).filter(
    (name) =>
      (name === row || name.startsWith(`${row}.`)) && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  )
  return changed.length === 0
    ? undefined
    : `the instance was refused, it says, and the machine shows otherwise: ${changed.map((name) => `${JSON.stringify(before[name])} became ${JSON.stringify(after[name])}`).join('; ')}`
}
