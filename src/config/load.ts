// From a config file to a Config, or to everything that is wrong with it at once. Each step hands on what it understood,
// so that a misspelt key does not hide a host claimed twice.
import { checkDataDirs } from './checkDataDirs.ts'
import { checkFolders } from './checkFolders.ts'
import { checkFreeze } from './checkFreeze.ts'
import { checkMetrics } from './checkMetrics.ts'
import { checkDomains, checkInstances, readHosts } from './checkNames.ts'
import { checkTemplates } from './checkTemplates.ts'
import { isTable, parseDocument, type Table, takeOutForbidden, valueAt } from './document.ts'
import { locatorOf } from './locate.ts'
import { byPlace, ConfigError, type Issue, type KeyPath, type Problem, showKey } from './problem.ts'
import { checkReady, resolveConfig, type Source } from './resolve.ts'
import type { Config } from './schema.ts'
import type { Surroundings } from './surroundings.ts'
import { readText } from './text.ts'
import { understand } from './understand.ts'

/** A config as far as it makes sense, and what does not. With no problems it is a whole one. */
export interface Reading {
  readonly config: Config
  readonly problems: readonly Problem[]
}

/** The config of a file. Throws a ConfigError that carries every problem. */
export const loadConfig = async (file: string, surroundings: Surroundings): Promise<Config> =>
  parseConfig({ file, text: await readText(file) }, surroundings)

/** The same for text that has been read already; `file` is its absolute path. */
export const parseConfig = (source: Source, surroundings: Surroundings): Config => {
  const { config, problems } = readConfig(source, surroundings)
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}

/** What can be known of the text, wrong or not. Throws a ConfigError only for what is not TOML at all. */
export const readConfig = (source: Source, surroundings: Surroundings): Reading => {
  const document = parseDocument(source.file, source.text)
  const forbidden = takeOutForbidden(document)
  const understood = understand(document)
  const resolved = resolveConfig(understood.file, source, surroundings)
  const known = servicesNamedIn(document)
  const { hosts, issues: hostIssues } = readHosts(resolved, known)
  const config: Config = { ...resolved, hosts }
  const unreadable = [...forbidden, ...understood.issues]
  const senseless = [
    ...checkReady(understood.file),
    ...checkFreeze(understood.file),
    ...checkMetrics(understood.file),
    ...checkTemplates(config),
    ...checkInstances(config, known),
    ...checkDomains(config, known),
    ...hostIssues,
    ...checkDataDirs(config),
    ...checkFolders(config),
    ...(known.length === 0 && unreadable.length === 0 ? [noService] : []),
  ]
  const issues = [...unreadable, ...senseless.map((issue) => ({ ...issue, path: asWritten(issue.path, unreadable) }))]
  return { config, problems: locateProblems(issues, source) }
}

const noService: Issue = {
  path: [],
  message: 'no service is described',
  fix: 'describe one: [service.web] with its command and isolation',
}

/** The path with the index as in the file: what could not be read has been left out of its list, and the rest has moved up. */
const asWritten = (path: KeyPath, leftOut: readonly Issue[]): KeyPath => {
  const index = path.at(-1)
  if (typeof index !== 'number') return path
  const list = path.slice(0, -1)
  const gaps = leftOut
    .map((issue) => issue.path)
    .filter((gap) => gap.length === path.length && showKey(gap.slice(0, -1)) === showKey(list))
  const sorted = gaps.map((gap) => Number(gap.at(-1))).sort((a, b) => a - b)
  return [...list, sorted.reduce((at, gap) => (gap <= at ? at + 1 : at), index)]
}

const servicesNamedIn = (document: Table): readonly string[] => {
  const services = valueAt(document, ['service'])
  return isTable(services) ? Object.keys(services) : []
}

/** The issues with their places in the file, in the order of its lines. */
export const locateProblems = (issues: readonly Issue[], { file, text }: Source): readonly Problem[] => {
  if (issues.length === 0) return []
  const locate = locatorOf(text)
  return issues
    .map(({ path, code, ...rest }): Problem => {
      const [table, service] = path
      return {
        file,
        ...locate(path),
        key: showKey(path),
        code: code ?? 'invalid_config',
        ...(code === 'unsupported_machine' ? { fault: 'machine' } : {}),
        ...rest,
        ...((table === 'service' || table === 'instances') && typeof service === 'string' ? { service } : {}),
      }
    })
    .sort(byPlace)
}
