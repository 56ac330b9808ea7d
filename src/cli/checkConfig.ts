// What `check` and `serve` find out before anything is started: the config as far as it makes sense, every problem with it, and
// what adapters can do on this machine. Heavy (the whole schema is loaded); commands import it when they run.
import { checkReading, type Findings } from '../check/check.ts'
import { basePath, type CheckMachine, type QuotaOn, type TryProfile } from '../check/machine.ts'
import { probeIdentityIn } from '../check/probeIdentity.ts'
import { type Probes, probeAdapters } from '../check/probes.ts'
import { findConfig } from '../config/find.ts'
import { type Reading, readConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { type Config, fileKeys, type Settings } from '../config/schema.ts'
import { currentSurroundings } from '../config/surroundings.ts'
import { readText } from '../config/text.ts'
import { type Adapters, builtinAdapters, type Isolation } from '../isolation/registry.ts'
import { loadIsolation } from '../plugin/load.ts'
import type { Given } from './command.ts'
import { lintProfile, weighProfile } from './lintProfile.ts'

/** Which adapters look at the machine: those that services use, all there are, this one, or none, which asks nothing of the machine. */
export type Scope = 'used' | 'all' | 'none' | { readonly only: string }

export interface Checked extends Findings {
  /** Undefined where there is no config at all. */
  readonly file: string | undefined
  /** Undefined when the file is not TOML, or cannot be read at all. */
  readonly config: Config | undefined
  readonly adapters: Adapters
  /** Plug-ins that provide no adapter. */
  readonly faults: Isolation['faults']
  /** In the order of the registry. */
  readonly probes: Probes
  /** Ends the threads of plug-ins that were asked something since; without it they keep the process from ending. */
  close(): Promise<void>
}

const nothingFound: Findings = { problems: [], warnings: [], promises: new Map(), exposures: new Map() }

export interface CheckOptions {
  /** Takes plug-ins for usable whose last proof failed: for who is about to prove them. */
  readonly withRefuted?: boolean
}

/** Reads and checks the config that --config names, or the one found without it. Throws a ConfigError when there is none. */
export const checkConfig = async (given: Given, scope: Scope, options: CheckOptions = {}): Promise<Checked> => {
  const surroundings = currentSurroundings()
  const file = await findConfig(given.text('config'), surroundings)
  try {
    const reading = readConfig({ file, text: await readText(file) }, surroundings)
    return { file, ...(await checkWhole(reading, scope, options)) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { ...(await checkMachine(scope)), file, problems: error.problems }
  }
}

const checkWhole = async (
  reading: Reading,
  scope: Scope,
  { withRefuted = scope === 'none' }: CheckOptions,
): Promise<Omit<Checked, 'file'>> => {
  const { config } = reading
  const machine = scope === 'none' ? undefined : thisMachine(config.settings)
  const used = [...config.services.values()].map(({ isolation }) => isolation)
  const { close, ...loaded } = await loadIsolation(config, { only: pluginsIn(scope, used, config), say: toStderr })
  try {
    const isolation = withRefuted ? loaded : await believed(config, loaded)
    const { adapters } = isolation
    const probes =
      machine === undefined ? new Map() : await probeAdapters(adapters, namesIn(scope, used, adapters), machine)
    return { config, ...isolation, probes, close, ...(await checkReading(reading, { ...isolation, machine, probes })) }
  } finally {
    await close()
  }
}

/** Without the plug-ins that were found to lie on this machine as it is now. */
const believed = async (config: Config, loaded: Isolation): Promise<Isolation> => {
  const plugins = [...config.isolation.keys()].filter((name) => loaded.adapters.has(name))
  if (plugins.length === 0) return loaded
  const { readProofs } = await import('../proof/store.ts')
  const { accusedIn, withoutRefuted } = await import('../proof/refuted.ts')
  const stored = await readProofs(config.settings.stateDir)
  if (accusedIn(stored, plugins).length === 0) return loaded
  const { takeFingerprint } = await import('../proof/fingerprint.ts')
  return withoutRefuted(loaded, { stored, plugins, now: await takeFingerprint() })
}

/** Of a config that is meant for another machine no plug-in is executed on this one. */
const pluginsIn = (scope: Scope, used: readonly string[], { isolation }: Config): ReadonlySet<string> => {
  if (scope === 'all') return new Set(isolation.keys())
  if (scope === 'none') return new Set()
  return new Set(scope === 'used' ? used : [...used, scope.only])
}

const toStderr = (line: string): void => void process.stderr.write(`${line}\n`)

/** The same without any config: what adapters can do here, with the settings nobody has written. */
export const checkMachine = async (scope: Scope): Promise<Checked> => {
  const adapters = builtinAdapters
  const names = namesIn(scope, [], adapters)
  const probes =
    names.size === 0 ? new Map() : await probeAdapters(adapters, names, thisMachine(fileKeys.parse({}).settings))
  return {
    file: undefined,
    config: undefined,
    adapters,
    faults: new Map(),
    probes,
    close: async () => undefined,
    ...nothingFound,
  }
}

const namesIn = (scope: Scope, used: readonly string[], adapters: Adapters): ReadonlySet<string> => {
  if (scope === 'all') return new Set(adapters.keys())
  if (scope === 'used') return new Set(used)
  return new Set(scope === 'none' ? [] : [scope.only])
}

const thisMachine = ({ tenantUids }: Pick<Settings, 'tenantUids'>): CheckMachine => {
  const isRoot = process.geteuid?.() === 0
  const probeIdentity = isRoot ? probeIdentityIn(tenantUids) : undefined
  return {
    isRoot,
    hasTenantUids: isRoot,
    path: basePath(process.execPath),
    tryProfile: once(compile),
    lintProfile,
    weighProfile: once(weighProfile),
    quotaOn,
    ...(probeIdentity === undefined ? {} : { probeIdentity }),
  }
}

/** What reaches the kernel is loaded only where a service has a bound on what it stores. */
const quotaOn: QuotaOn = async (folder) => (await import('../launcher/storage/support.ts')).quotaSupport(folder)

/** Each profile is looked at once, however many services run under it; the compiler is loaded only where one does. */
const once = <Found>(
  look: (profile: string, folder: string) => Promise<Found>,
): ((profile: string, folder: string) => Promise<Found>) => {
  const seen = new Map<string, Promise<Found>>()
  return (profile, folder) => {
    const found = seen.get(profile) ?? look(profile, folder)
    seen.set(profile, found)
    return found
  }
}

const compile: TryProfile = async (profile, folder) => {
  const { readProfile } = await import('../seccomp/find.ts')
  const { compileProfile } = await import('../seccomp/compileProfile.ts')
  const { file, text } = await readProfile(profile, folder)
  return compileProfile(text, { file })
}
