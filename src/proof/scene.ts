// One adapter with an attacker and a neighbour under it: from a config as a person would write it, through the plan that `serve`
// would make of it, to processes of a real launcher. It knows no attack.
import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseConfig } from '../config/load.ts'
import type { Config, Service } from '../config/schema.ts'
import { currentSurroundings } from '../config/surroundings.ts'
import { TenementError } from '../errors.ts'
import type { Attestation, Defaults, Identity, IsolationAdapter, Network, Probe } from '../isolation/adapter.ts'
import { capabilities } from '../isolation/capabilities.ts'
import { readOptions } from '../isolation/options.ts'
import { newRun } from '../launcher/client.ts'
import { compileProfile } from '../seccomp/compileProfile.ts'
import { readProfile } from '../seccomp/find.ts'
import { planFor } from '../supervisor/plan.ts'
import type { Conductor } from './conductor.ts'
import type { Place } from './place.ts'
import { whyHarmful } from './uids.ts'

export interface SceneOptions {
  readonly adapter: IsolationAdapter
  readonly probe: Probe
  readonly place: Place
  readonly conductor: Conductor
  /** Where tenants find the Node that runs the attack programs. */
  readonly node: string
  /** As under [service.X.options]. */
  readonly written: Readonly<Record<string, unknown>>
}

/** A process of an instance that does as it is told. */
export interface Actor {
  readonly run: string
  readonly service: string
  /** Of the program that was started: a monitor, where the adapter has one. */
  readonly pid: number
  readonly dataDir: string
  readonly identity: Identity | undefined
  readonly attestation: Attestation | undefined
  readonly depth: number
  /** Its own processes, as the machine sees them: not those that confine it. */
  applications(): readonly number[]
  /** Rejects with what it answered when that is no success. */
  post(path: string, body: unknown): Promise<string>
  stop(signal: string, timeoutMs: number): Promise<void>
  /** Kills it, unless it has ended already. */
  end(): Promise<void>
}

export interface Role {
  readonly name: string
  readonly network?: Network
  /** Further lines of its service. */
  readonly lines?: readonly string[]
}

export interface Scene {
  readonly defaults: Defaults
  /** Rejects where the launcher, or the adapter, does not start it. */
  start(role: Role): Promise<Actor>
}

/** An instance finds a secret in its environment: nobody else may. */
export const tokenOf = (name: string, { root }: Place): string => `secret-environment-of-${name}-${root.slice(-6)}`

export const setScene = async (options: SceneOptions): Promise<Scene> => {
  const { adapter, place, conductor } = options
  const adapterOptions = await readOptions(adapter.options, options.written)
  const defaults = adapter.defaultsFor?.(adapterOptions) ?? adapter.defaults
  const filter = await filterFor(defaults)
  const identities = new Map<string, Identity | undefined>()
  const identityFor = (name: string): Identity | undefined => {
    const { tenantUids } = place.policy
    if (tenantUids === undefined) return undefined
    const uid = tenantUids.first + identities.size
    const identity = identities.get(name) ?? { uid, gid: uid }
    identities.set(name, identity)
    return identity
  }
  return {
    defaults,
    start: async (role) => {
      const service = serviceOf(role, options)
      const { name } = role
      const run = newRun()
      const dataDir = join(place.policy.dataRoots[0] ?? '', name)
      const identity = identityFor(name)
      const socket = join(place.policy.runDir, 's', `${run}.sock`)
      const plan = planFor({
        service,
        id: name,
        settingsDataDir: place.policy.dataRoots[0] ?? '',
        dataDir,
        identity,
        reach: { kind: 'fd', socket },
        defaults,
        options: adapterOptions,
        givenUp: options.probe.lost.map(({ capability }) => capability),
        path: '/usr/local/bin:/usr/bin:/bin',
        findProgram: (program) => program,
        placeOf: (path) => path,
        sourceOf: (_, __, path) => path,
        filterOf: () => filter,
      })
      const launch = await adapter.prepare(plan)
      const { pid, attestation } = await conductor.ask<'launch'>({
        ...{ type: 'launch', run, service: name, id: name, launch, watch: false, note: null },
      })
      await requireHarmless(socket, dataDir, postTimeoutMs * conductor.patience).catch(async (error: unknown) => {
        await conductor.ask<'stop'>({ type: 'stop', run, signal: 'SIGKILL', timeoutMs: 0 })
        throw error
      })
      return {
        ...{ run, service: name, pid, dataDir, identity, attestation, depth: launch.depth },
        applications: () => applicationsOf(`${name}:${name}`, dataDir),
        post: (path, body) => post(socket, path, body, postTimeoutMs * conductor.patience),
        stop: async (signal, timeoutMs) => {
          await conductor.ask<'stop'>({ type: 'stop', run, signal, timeoutMs })
          await conductor.whenExited(run)
        },
        end: async () => {
          // Refused where it has ended meanwhile; that is awaited either way.
          await conductor.ask<'stop'>({ type: 'stop', run, signal: 'SIGKILL', timeoutMs: 0 }).catch(() => undefined)
          await conductor.whenExited(run)
        },
      }
    },
  }
}

/** Asked of the machine when the program answers, and not only its wrapper is there. */
const requireHarmless = async (socket: string, dataDir: string, timeoutMs: number): Promise<void> => {
  await post(socket, '/who', {}, timeoutMs)
  const reason = whyHarmful(dataDir)
  if (reason !== undefined) throw new Error(`nothing is attacked, since ${reason}`)
}

const filterFor = async ({ seccomp }: Defaults): Promise<Uint8Array | undefined> => {
  if (seccomp === undefined) return undefined
  const { file, text: profile } = await readProfile(seccomp, '/')
  return compileProfile(profile, { file })
}

/** What an ordinary user goes without is said in the config, as it would have to be. */
const serviceOf = (role: Role, { adapter, probe, place, node }: SceneOptions): Service => {
  const accepted = probe.lost.flatMap(({ capability }) => capabilities[capability]?.acceptedAs ?? [])
  const written = `
[settings]
data_dir = ${JSON.stringify(place.policy.dataRoots[0])}
[service.${role.name}]
command = ${JSON.stringify([node, 'attack/instance.js'])}
cwd = ${JSON.stringify(join(place.root, 'stage'))}
isolation = ${JSON.stringify(adapter.name)}
accept = ${JSON.stringify([...new Set(accepted)])}
listen = "fd"
env = { TOKEN = ${JSON.stringify(tokenOf(role.name, place))} }
${role.network === undefined ? '' : `network = "${role.network}"`}
${(role.lines ?? []).join('\n')}
[instances]
${role.name} = ["${role.name}"]
`
  const config: Config = parseConfig({ file: join(place.root, 'tenement.toml'), text: written }, currentSurroundings())
  const service = config.services.get(role.name)
  if (service === undefined) throw new TenementError('internal', `the config of an attack has no "${role.name}"`)
  return service
}

const applicationsOf = (instance: string, dataDir: string): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const environment = environmentOf(pid)
      return environment.includes(`HOME=${dataDir}`) && environment.includes(`TENEMENT_INSTANCE=${instance}`)
    })

const environmentOf = (pid: number): readonly string[] => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
  } catch {
    return [] // it has ended, or is somebody's whom this user may not look at: then it is none of ours
  }
}

/** Long for a topic of attacks on a machine that is busy with others. */
const postTimeoutMs = 20_000

const post = (socketPath: string, path: string, body: unknown, timeoutMs: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const sent = request({ socketPath, path, method: 'POST', agent: false, signal }, (response) => {
      text(response).then(
        (answer) => (response.statusCode === 200 ? resolve(answer) : reject(new Error(answer))),
        reject,
      )
    })
    sent.once('error', reject)
    sent.end(JSON.stringify(body))
  })
