// Whether an adapter that hides the machine's files would show tenants their neighbours' all the same: it shows them the code, and
// with the code whatever lies below it. Pure.
import { hasSoundData } from '../config/checkTemplates.ts'
import { dataRootFor, isWithin } from '../config/dataDir.ts'
import { type Issue, quote, showKey } from '../config/problem.ts'
import type { Config, Service } from '../config/schema.ts'
import type { IsolationAdapter } from '../isolation/adapter.ts'

export interface HiddenFolder {
  /** As in a sentence: 'settings.state_dir'. */
  readonly what: string
  readonly path: string
}

export const checkVisible = (
  service: Service,
  adapter: IsolationAdapter | undefined,
  hidden: readonly HiddenFolder[],
): readonly Issue[] => {
  if (adapter?.capabilities['fs.privateRoot'] === undefined) return []
  const path = ['service', service.name, 'cwd']
  const shown = hidden.find((folder) => isWithin(folder.path, service.cwd))
  if (shown === undefined) return []
  const message = `${showKey(path)}, ${quote(service.cwd)}, holds ${shown.what}, ${quote(shown.path)}, and isolation "${adapter.name}" shows cwd to every tenant`
  return [{ path, message, value: quote(service.cwd), fix: 'put the code in a folder of its own, and set cwd to it' }]
}

/** Every folder no tenant may see as a whole. */
export const hiddenFolders = (config: Config): readonly HiddenFolder[] => [
  { what: 'settings.state_dir', path: config.settings.stateDir },
  { what: 'settings.run_dir', path: config.settings.runDir },
  { what: 'settings.log_dir', path: config.settings.logDir },
  ...[...config.services.values()]
    .filter((service) => hasSoundData(service, config))
    .map((service) => ({ what: `the data of ${service.name}`, path: dataRootFor(service, config.settings) })),
]
