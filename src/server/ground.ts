// What the server stands on once the launcher has greeted it: config, adapters, filters and programs are looked up while it may still
// look, and then root is given up for good.
import type { Logger } from 'pino'
import { basePath } from '../check/machine.ts'
import { readConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import type { Hello, LauncherClient } from '../launcher/client.ts'
import { packageVersion } from '../packageVersion.ts'
import { loadIsolation } from '../plugin/load.ts'
import { openState } from '../state/state.ts'
import { dropPrivileges } from './dropPrivileges.ts'
import { makeFilters } from './filters.ts'
import { findPrograms } from './programs.ts'
import type { ServerSettings } from './settings.ts'
import type { Ground } from './supervise.ts'

/** From here on the process is the server's own user for good. */
export const prepareGround = async (hello: Hello, launcher: LauncherClient, log: Logger): Promise<Ground> => {
  const launcherSettings = hello.settings
  const settings = launcherSettings.server as ServerSettings // written by this same program, on the command line
  const { config } = readConfig({ file: settings.configFile, text: settings.configText }, settings.surroundings)
  const path = basePath(process.execPath)
  const findProgram = await findPrograms(config, path)
  const isolation = await loadIsolation(config, { only: usedPlugins(config, settings), say: (line) => log.info(line) })
  for (const [name, { reason, fix }] of isolation.faults)
    log.error({ fix }, `isolation "${name}" cannot be had: ${reason}`)
  const filters = await makeFilters(config, isolation.adapters)
  const version = packageVersion()
  const { policy } = launcherSettings
  dropPrivileges(policy.serverIdentity)
  const state = openState(policy.stateDir)
  return { launcher, launcherSettings, settings, config, isolation, state, log, path, findProgram, filters, version }
}

/** One whose services are all refused was tried already, and could make others wait once more. */
const usedPlugins = ({ services }: Config, { unrunnable }: ServerSettings): ReadonlySet<string> =>
  new Set(
    [...services.values()].filter(({ name }) => !Object.hasOwn(unrunnable, name)).map(({ isolation }) => isolation),
  )
