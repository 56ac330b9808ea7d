// What `check` and `serve` find out before anything is started: the config as far as it makes sense, and every problem
// with it on this machine. Heavy (the whole schema is loaded); commands import it when they run.
import { checkReading } from '../check/check.ts'
import { basePath, type CheckMachine } from '../check/machine.ts'
import { findConfig } from '../config/find.ts'
import { readConfig } from '../config/load.ts'
import { ConfigError, type Problem } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { currentSurroundings } from '../config/surroundings.ts'
import { readText } from '../config/text.ts'
import type { Probe } from '../isolation/adapter.ts'
import { type Adapters, builtinAdapters } from '../isolation/registry.ts'
import type { Given } from './command.ts'

/** What can be said of an adapter that services of this config use. */
export interface AdapterFinding {
  readonly name: string
  readonly probe: Probe
}

export interface Checked {
  readonly file: string
  /** Undefined when the file is not TOML, or cannot be read at all. */
  readonly config: Config | undefined
  /** In the order of the file; empty when this machine can run the config. */
  readonly problems: readonly Problem[]
  readonly adapters: readonly AdapterFinding[]
}

const thisMachine = (): CheckMachine => {
  const isRoot = process.geteuid?.() === 0
  return { isRoot, hasTenantUids: isRoot, path: basePath(process.execPath) }
}

const probeUsed = (config: Config, adapters: Adapters, machine: CheckMachine): Promise<readonly AdapterFinding[]> => {
  const names = new Set([...config.services.values()].map(({ isolation }) => isolation))
  const used = [...adapters.values()].filter(({ name }) => names.has(name))
  return Promise.all(used.map(async (adapter) => ({ name: adapter.name, probe: await adapter.probe(machine) })))
}

/** Reads and checks the config that --config names, or the one found without it. Throws a ConfigError when there is none. */
export const checkConfig = async (given: Given): Promise<Checked> => {
  const surroundings = currentSurroundings()
  const file = await findConfig(given.text('config'), surroundings)
  const machine = thisMachine()
  try {
    const reading = readConfig({ file, text: await readText(file) }, surroundings)
    return {
      file,
      config: reading.config,
      problems: await checkReading(reading, builtinAdapters, machine),
      adapters: await probeUsed(reading.config, builtinAdapters, machine),
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { file, config: undefined, problems: error.problems, adapters: [] }
  }
}
