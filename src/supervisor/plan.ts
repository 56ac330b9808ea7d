// A service and an instance → what is to be started: arguments, environment and places with every template filled. Pure:
// how the program is found on disk is asked of a function, and how it is confined is decided later.

import type { Service } from '../config/schema.ts'
import { fillTemplate, type TemplateValues } from '../config/template.ts'
import type { Defaults, Identity, LaunchPlan, Reach } from '../isolation/adapter.ts'
import { limitsOf, networkOf } from '../isolation/asked.ts'
import { reachEnvironment } from '../isolation/reach.ts'
import { formatInstance } from '../names.ts'

export interface PlanInputs {
  readonly service: Service
  readonly id: string
  /** settings.data_dir, for the template of that name. */
  readonly settingsDataDir: string
  /** The instance's own data directory. */
  readonly dataDir: string
  readonly identity: Identity | undefined
  readonly reach: Reach
  /** What the adapter gives a service that says nothing. */
  readonly defaults: Defaults
  /** The service's options as the adapter reads them. */
  readonly options: unknown
  /** Promises this machine cannot keep and the service goes without, as its config accepts: what bounds it otherwise is left out. */
  readonly givenUp: readonly string[]
  /** PATH of instances that set none themselves. */
  readonly path: string
  /** The absolute path of a program; throws a TenementError when there is none. */
  readonly findProgram: (name: string, where: { readonly cwd: string; readonly path: string }) => string
  /** Where an instance finds a path of the machine, when it could not open it where it is. */
  readonly placeOf: (path: string) => string
  /** The compiled seccomp filter of a service; throws what kept it from being made. */
  readonly filterOf: (service: string) => Uint8Array | undefined
  /** Where the launcher finds a path that the service was granted. */
  readonly sourceOf: (service: string, kind: 'read' | 'write', path: string) => string
}

/** Throws what `findProgram` throws. */
export const planFor = (inputs: PlanInputs): LaunchPlan => {
  const { service, id, settingsDataDir, dataDir, identity, reach, defaults, options, givenUp } = inputs
  const { path, findProgram, placeOf, sourceOf, filterOf } = inputs
  const values: TemplateValues = {
    id,
    name: service.name,
    data_dir: settingsDataDir,
    ...(reach.kind === 'port' ? { port: String(reach.port) } : { socket: reach.socket }),
  }
  const fill = (text: string): string => fillTemplate(text, values)
  const [program, ...args] = service.command
  const env = {
    ...baseEnvironment(service.name, id, dataDir, path),
    ...reachEnvironment(reach),
    ...filled(service.env, fill),
  }
  const found = findProgram(fill(program), { cwd: service.cwd, path: env.PATH ?? path })
  return {
    instance: formatInstance({ service: service.name, id }),
    argv: [placeOf(found), ...args.map(fill)],
    env,
    cwd: placeOf(service.cwd),
    dataDir,
    identity,
    reach,
    network: networkOf(service, defaults),
    read: service.read.map((granted) => ({ path: granted, source: sourceOf(service.name, 'read', granted) })),
    write: service.write.map((granted) => ({ path: granted, source: sourceOf(service.name, 'write', granted) })),
    secrets: Object.keys(service.secrets),
    filter: filterOf(service.name),
    limits: limitsOf(service, defaults, givenUp),
    options,
  }
}

const filled = (env: Readonly<Record<string, string>>, fill: (text: string) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)]))

/**
 * What every instance finds in its environment before anything of its own. Nothing of tenement's own environment is passed
 * on: it may hold secrets, and one variable too many (NODE_EXTRA_CA_CERTS) doubles the start of a Node program.
 */
const baseEnvironment = (service: string, id: string, dataDir: string, path: string): Record<string, string> => ({
  PATH: path,
  HOME: dataDir,
  LANG: 'C.UTF-8',
  TENEMENT_INSTANCE: formatInstance({ service, id }),
})
