// One tenement with an attacker and its neighbour at each level, the canaries on the machine, and what it takes to have the
// attacker run a topic and to compare the machine before and after.
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Tried } from '../../src/attack/attempt.ts'
import type { Topic } from '../../src/attack/rows.ts'
import type { SharedNames, Targets } from '../../src/attack/targets.ts'
import { type Canaries, plantCanaries } from '../../src/proof/canaries.ts'
import { makeStage } from '../../src/proof/stage.ts'
import { environmentOf } from '../helpers/processes.ts'
import { isRoot } from '../helpers/root.ts'
import { startTenement, type Tenement } from '../helpers/tenement.ts'

export const levels = ['none', 'namespace', 'sandbox'] as const
/** Where attackers are: at each level, and in a sandbox that reaches the internet. */
export const places = [...levels, 'internet'] as const
export type Level = (typeof places)[number]

/** Only root may enter a network of an instance's own, and so give it a way out (src/isolation/bubblewrap/probeUplink.ts). */
export const whyNotHere = (level: Level): string | undefined =>
  level === 'internet' && !isRoot ? 'only root can give an instance a way to the internet' : undefined

/** pasta needs a device that not every machine lets tenants open: a view of the files in which everybody may, for tenement alone. */
const withTunnels = (root: string): readonly string[] => {
  const script = 'mknod "$0/tun" c 10 200; chmod 666 "$0/tun"; mount --bind "$0/tun" /dev/net/tun; exec "$@"'
  return ['unshare', '--mount', '/bin/sh', '-ec', script, root]
}

/** The column of the table that holds there. */
export const columnOf = (level: Level): (typeof levels)[number] => (level === 'internet' ? 'sandbox' : level)

/** What an ordinary user goes without, said in the config as it would have to be: otherwise "sandbox" is refused. */
const accepted = isRoot ? [] : ['shared-uid', 'no-memory-limit', 'no-pids-limit', 'no-cpu-limit']

export const isolationLine = (level: Level): string =>
  [
    `isolation = "${columnOf(level)}"`,
    `accept = ${columnOf(level) === 'sandbox' ? JSON.stringify(accepted) : '[]'}`,
    ...(level === 'internet' ? ['network = "internet"'] : []),
  ].join('\n')

/** What the machine shows, by the row that would change it. */
export type Evidence = Readonly<Record<string, unknown>>

/** What became of one topic: what the instance says, and what the machine shows. */
export interface Ran {
  readonly tried: ReadonlyMap<string, Tried>
  readonly before: Evidence
  readonly after: Evidence
}

export interface Field {
  readonly tenement: Tenement
  readonly root: string
  run(level: Level, topic: Topic): Promise<Ran>
  close(): Promise<void>
}

/** A secret that the instances of a level find in their environment. */
export const tokenOf = (level: Level): string => `secret-environment-${level}-${process.pid}`

/** A service whose instances do as they are told, by its name; all of them in their own time, which an emulated machine needs. */
export const serviceOf = (name: string, stage: string, lines: string, startTimeout = '10m'): string => `
[service.${name}]
command = "node attack/instance.js"
cwd = "${stage}"
data = "{data_dir}/{name}/{id}"
start_timeout = "${startTimeout}"
response_timeout = "10m"
${lines}
`

/** A service for every level, with these instances. */
export const configOf = (stage: string, ids: readonly string[], where: readonly Level[] = levels): string =>
  [
    ...where.map((level) =>
      serviceOf(
        level,
        stage,
        `${isolationLine(level)}\nlisten = "fd"\nstop_timeout = "300ms"\nenv = { TOKEN = "${tokenOf(level)}" }`,
      ),
    ),
    '[instances]',
    ...where.map((level) => `${level} = ${JSON.stringify(ids)}`),
  ].join('\n')

export const post = async (tenement: Tenement, host: string, path: string, body: unknown): Promise<string> => {
  const answer = await tenement.ask(`${host}.test`, { method: 'POST', path, body: JSON.stringify(body) })
  if (answer.status !== 200) throw new Error(`${host}${path} answered ${answer.status}: ${answer.body}`)
  return answer.body
}

export const startField = async (): Promise<Field> => {
  const root = makeRoot()
  const stage = makeStage(root)
  const canaries = await plantCanaries(root, stage)
  const here = places.filter((each) => whyNotHere(each) === undefined)
  const config = configOf(stage, ['attacker', 'neighbour'], here)
  const tenement = await startTenement({
    root,
    config,
    settings: 'hold_timeout = "10m"',
    ...(isRoot ? { around: withTunnels(root) } : {}),
  })
  const close = async (): Promise<void> => {
    await tenement.stop()
    canaries.close()
    rmSync(root, { recursive: true, force: true })
  }
  const neighbours = new Map<Level, Targets['neighbour']>()
  const known = new Map<Level, Targets>()
  try {
    for (const [index, level] of here.entries())
      neighbours.set(level, await makeNeighbour(tenement, level, 0x7e_0000 + (process.pid % 50_000) * 4 + index))
  } catch (error) {
    await close()
    throw error
  }
  return {
    tenement,
    root,
    run: async (level, topic) => {
      const neighbour = neighbours.get(level)
      if (neighbour === undefined) throw new Error(`there is no neighbour at ${level}`)
      const host = `attacker.${level}`
      const targets = known.get(level) ?? (await targetsFor({ tenement, root, canaries, neighbour, level }))
      known.set(level, targets)
      const look = async (): Promise<Evidence> => ({
        ...(await canaries.look()),
        ...(await heardBy(tenement, `neighbour.${level}`)),
      })
      canaries.replant()
      const before = await look()
      const printed = await post(tenement, host, `/attack?topic=${topic}`, targets)
      return { tried: byRow(printed), before, after: await look() }
    },
    close,
  }
}

/** Not below /tmp, of which every confined instance has one of its own: a path there means something else inside. */
export const makeRoot = (): string => {
  const root = mkdtempSync(join(isRoot ? '/var/lib' : (process.env.HOME ?? '/var/empty'), 'tenement-attack-'))
  chmodSync(root, 0o711)
  return root
}

const byRow = (printed: string): ReadonlyMap<string, Tried> => {
  const lines = printed.split('\n').filter((line) => line !== '')
  const parsed: readonly (Tried & { readonly failed?: string })[] = lines.map((line) => JSON.parse(line))
  const failed = parsed.find((each) => each.failed !== undefined)
  if (failed !== undefined) throw new Error(`the attacks broke off: ${failed.failed}`)
  return new Map(parsed.map((tried) => [tried.row, tried]))
}

const heardBy = async (tenement: Tenement, host: string): Promise<Evidence> => {
  const { connections, signals, shared } = JSON.parse(await post(tenement, host, '/heard', {}))
  return {
    '14.port': connections.port,
    '14.path': connections.path,
    '15.neighbour': connections.abstract,
    '27': signals,
    '66': shared,
  }
}

const makeNeighbour = async (tenement: Tenement, level: Level, key: number): Promise<Targets['neighbour']> => {
  const host = `neighbour.${level}`
  const shared: SharedNames = { key, name: `tenement-${process.pid}-${level}` }
  const { port, sockets, abstractSocket } = JSON.parse(await post(tenement, host, '/neighbour', shared))
  const [pid] = applicationsOf(`${level}:neighbour`, tenement)
  if (pid === undefined) throw new Error(`${level}:neighbour has no process on this machine`)
  const { dataDir } = await tenement.status(`${level}:neighbour`)
  return { pid, dataDir, sockets, abstractSocket, port, shared }
}

/** Processes of an instance of this tenement that have its environment, as the machine sees them: not those of bubblewrap. */
export const applicationsOf = (instance: string, { root }: Pick<Tenement, 'root'>): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const environment = environmentOf(pid)
      const isOurs = environment.some((each) => each.startsWith(`HOME=${root}/`))
      return isOurs && environment.includes(`TENEMENT_INSTANCE=${instance}`)
    })

interface Aim {
  readonly tenement: Tenement
  readonly root: string
  readonly canaries: Canaries
  readonly neighbour: Targets['neighbour']
  readonly level: Level
}

const targetsFor = async ({ tenement, root, canaries, neighbour, level }: Aim): Promise<Targets> => {
  const { file, socket, abstractSocket, addresses, key, setUidProgram } = canaries
  await post(tenement, `attacker.${level}`, '/who', {})
  const [attacker] = applicationsOf(`${level}:attacker`, tenement)
  if (attacker === undefined) throw new Error(`${level}:attacker has no process on this machine`)
  return {
    machine: {
      file,
      directories: [join(root, 'state'), join(root, 'log')],
      sockets: [socket, join(root, 'run', 'control.sock')],
      abstractSocket,
      addresses,
      processes: [tenement.process.pid ?? 0, await tenement.serverPid()],
      secret: 'not for tenants',
      cgroups: cgroupsOf(attacker),
      ...(setUidProgram === undefined ? {} : { setUidProgram }),
      ...(key === undefined ? {} : { key }),
    },
    neighbour,
  }
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
