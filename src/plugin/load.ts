// The plug-ins of a config → adapters beside those that come with tenement, or why there is none. All at once, and none of them
// keeps another from being loaded. Never called in the launcher: what is root for good executes nothing of other people's.
import { dirname } from 'node:path'
import type { Config, Plugin } from '../config/schema.ts'
import { TenementError } from '../errors.ts'
import type { IsolationAdapter } from '../isolation/adapter.ts'
import { builtinAdapters, type Isolation, type PluginFault } from '../isolation/registry.ts'
import { pluginAdapter } from './adapter.ts'
import { type Description, type PlainIssue, readDescription, readIssues } from './describe.ts'
import type { HookData } from './hooks.ts'
import { createHost, type Host, PluginFailure } from './host.ts'
import { locatePlugin } from './locate.ts'
import { problemOnWay } from './trust.ts'

export interface LoadedIsolation extends Isolation {
  /** Ends the threads of the plug-ins; what is asked of one later starts it again. */
  close(): Promise<void>
}

export interface LoadOptions {
  /** The names to load; all when not given. */
  readonly only?: ReadonlySet<string>
  /** Hears what a plug-in writes to its output. */
  readonly say: (line: string) => void
}

/** Resolves whatever becomes of the plug-ins, in about the time of the slowest, which is bounded. */
export const loadIsolation = async (
  { file, isolation }: Pick<Config, 'file' | 'isolation'>,
  { only, say }: LoadOptions,
): Promise<LoadedIsolation> => {
  const adapters = new Map(builtinAdapters)
  const faults = new Map<string, PluginFault>()
  const hosts: Host[] = []
  const wanted = [...isolation].filter(([name]) => only?.has(name) ?? true)
  const found = await Promise.all(
    wanted.map(async ([name, plugin]) => {
      const say1 = (line: string): void => say(`isolation.${name}: ${line}`)
      return [
        name,
        await load(name, plugin, { folder: dirname(file), say: say1, keep: (host) => hosts.push(host) }),
      ] as const
    }),
  )
  // In the order of the file, whichever was faster.
  for (const [name, made] of found) {
    if ('reason' in made) faults.set(name, made)
    else adapters.set(name, made)
  }
  return { adapters, faults, close: async () => void (await Promise.all(hosts.map((host) => host.close()))) }
}

interface Listening {
  /** Where packages are looked for. */
  readonly folder: string
  readonly say: (line: string) => void
}

interface Surroundings extends Listening {
  readonly keep: (host: Host) => void
}

const load = async (
  name: string,
  plugin: Plugin,
  { folder, say, keep }: Surroundings,
): Promise<IsolationAdapter | PluginFault> => {
  if (builtinAdapters.has(name)) return takenName(name)
  try {
    const { place, file } = await locatePlugin(plugin.plugin, folder)
    // Links on the way as well: who could have made one decides what is loaded.
    if (isRoot()) await requireTrusted(place)
    const host = createHost({ file, written: plugin.settings, hooks: hooksNow(), say })
    keep(host)
    const made = await define(name, plugin, host, file)
    if ('reason' in made) await host.close()
    return made
  } catch (error) {
    if (!(error instanceof PluginFailure)) throw error
    return faultOf(plugin.plugin, error)
  }
}

const isRoot = (): boolean => process.geteuid?.() === 0

const requireTrusted = async (path: string): Promise<void> => {
  const change = await problemOnWay(path, 0)
  if (change === undefined) return
  throw new PluginFailure(
    `others than root could change what it does: ${change.who}`,
    `${change.fix}, or keep the plug-in where only root writes`,
  )
}

/** Where modules lie that plug-ins import of tenement. */
const modules = { 'tenement/plugin': new URL('index.js', import.meta.url).href }
const own = new URL('..', import.meta.url).href

const hooksNow = (): HookData => ({ modules, own, trusted: isRoot() ? { owner: 0 } : undefined })

const define = async (
  name: string,
  plugin: Plugin,
  host: Host,
  file: string,
): Promise<IsolationAdapter | PluginFault> => {
  try {
    const description = readDescription(await host.describe())
    const refused = privilegeFault(name, plugin, description)
    if (refused !== undefined) return refused
    const issues = readIssues(await host.call('settings'))
    return issues.length > 0 ? wrongSettings(name, issues) : pluginAdapter({ name, file, description, host })
  } catch (error) {
    if (!(error instanceof PluginFailure)) throw error
    return faultOf(file, error)
  }
}

export interface LoadedPlugin {
  /** What it calls itself, as it has no name of a config. */
  readonly name: string
  readonly file: string
  readonly adapter: IsolationAdapter
  close(): Promise<void>
}

export interface PluginOptions extends Listening {
  /** The keys of [isolation.NAME]. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** One plug-in without a config, as for its author; allowed to be privileged. Rejects with a TenementError where it cannot be used. */
export const loadPlugin = async (plugin: string, { folder, settings, say }: PluginOptions): Promise<LoadedPlugin> => {
  try {
    const { place, file } = await locatePlugin(plugin, folder)
    if (isRoot()) await requireTrusted(place)
    const host = createHost({ file, written: settings, hooks: hooksNow(), say })
    try {
      const description = readDescription(await host.describe())
      const issues = readIssues(await host.call('settings'))
      if (issues.length > 0) throw new PluginFailure(`its settings are wrong: ${issues.map(inWords).join('; ')}`)
      const { name } = description
      return { name, file, adapter: pluginAdapter({ name, file, description, host }), close: host.close }
    } catch (error) {
      await host.close()
      throw error
    }
  } catch (error) {
    if (!(error instanceof PluginFailure)) throw error
    throw new TenementError('unusable_plugin', `the plug-in "${plugin}" cannot be used: ${error.message}`, {
      fix: error.fix ?? 'mend the plug-in',
      cause: error,
    })
  }
}

const inWords = ({ path, message }: PlainIssue): string => `${path.join('.')} ${message}`.trim()

const faultOf = (place: string, { message, fix }: PluginFailure): PluginFault => ({
  reason: `its plug-in "${place}" cannot be used: ${message}`,
  fix: fix ?? `mend the plug-in, and try it: tenement check --plugin "${place}"`,
})

const privilegeFault = (
  name: string,
  { plugin, privileged }: Plugin,
  description: Description,
): PluginFault | undefined => {
  if (privileged === description.privileged) return undefined
  return description.privileged
    ? {
        reason: `its plug-in "${plugin}" starts programs as root, and nothing in the config allows that`,
        fix: `write privileged = true in [isolation.${name}] if you trust it with this machine`,
      }
    : {
        reason: `its plug-in "${plugin}" starts nothing as root, and the config calls it privileged`,
        fix: `remove privileged from [isolation.${name}]`,
      }
}

const takenName = (name: string): PluginFault => ({
  issues: [{ message: 'is the name of an isolation that comes with tenement', path: [] }],
  reason: 'it comes with tenement',
  fix: `give [isolation.${name}] another name`,
})

const wrongSettings = (name: string, issues: readonly PlainIssue[]): PluginFault => ({
  issues,
  reason: `[isolation.${name}] does not say what its plug-in understands`,
  fix: `correct [isolation.${name}]`,
})
