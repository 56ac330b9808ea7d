// Whether tenement's own folders, the data and the code lie apart where one inside another would hand something to a tenant or lose it.
// Pure: it compares paths as written and knows nothing of symbolic links; the launcher opens none.
import { hasSoundData } from './checkTemplates.ts'
import { dataDirFor, dataRootFor, isWithin } from './dataDir.ts'
import { grantsOf } from './grants.ts'
import { type Issue, type KeyPath, quote, showKey } from './problem.ts'
import type { Config, Service, Settings } from './schema.ts'
import { variablesOf } from './template.ts'

export const checkFolders = (config: Config): readonly Issue[] => {
  const services = [...config.services.values()]
  const trees = services
    .filter((service) => hasSoundData(service, config))
    .map((service) => dataTreeOf(service, config))
  const own = ownFolders(config.settings)
  return [
    ...checkSocketLength(config.settings),
    ...checkOwnFolders(config.settings),
    ...trees.flatMap((tree) => checkDataTree(tree, own)),
    ...services.flatMap((service) => checkCode(service, trees)),
    ...services.flatMap((service) => checkOpened(service, [...own, ...trees])),
  ]
}

// sockaddr_un holds 108 bytes with the NUL that ends the path (unix(7)).
const longestSocketPath = 107
// The longest name below run_dir is that of a socket an instance makes itself.
const socketNameLength = '/u/xxxxxxxxxxxx/app.sock'.length

const checkSocketLength = ({ runDir }: Settings): readonly Issue[] => {
  const longest = longestSocketPath - socketNameLength
  const length = Buffer.byteLength(runDir)
  if (length <= longest) return []
  const path = ['settings', 'run_dir']
  const message = `${showKey(path)} is ${length} bytes long, and paths of unix sockets leave room for ${longest}: ${quote(runDir)}`
  return [{ path, message, fix: 'write a shorter one: run_dir = "/run/tenement"' }]
}

interface Folder {
  readonly key: KeyPath
  readonly path: string
}

const ownFolders = (settings: Settings): readonly Folder[] => [
  { key: ['settings', 'state_dir'], path: settings.stateDir },
  { key: ['settings', 'run_dir'], path: settings.runDir },
  { key: ['settings', 'log_dir'], path: settings.logDir },
]

const apart = 'set them apart'

const checkOwnFolders = ({ stateDir, runDir, logDir }: Settings): readonly Issue[] => {
  if (isWithin(stateDir, runDir)) {
    const message = `settings.run_dir, ${quote(runDir)}, holds settings.state_dir, and is emptied by a reboot`
    return [{ path: ['settings', 'run_dir'], message, fix: apart }]
  }
  if (logDir !== runDir && logDir !== stateDir) return []
  const message = `settings.log_dir, ${quote(logDir)}, is also settings.${logDir === runDir ? 'run_dir' : 'state_dir'}`
  return [{ path: ['settings', 'log_dir'], message, fix: apart }]
}

/** The folder that belongs to the tenants of a service: all of it, however many of them there are. */
const dataTreeOf = (service: Service, { settings }: Config): Folder => ({
  key: ['service', service.name, 'data'],
  path: variablesOf(service.data).includes('id') ? dataRootFor(service, settings) : dataDirFor(service, settings, ''),
})

const checkDataTree = ({ key, path }: Folder, own: readonly Folder[]): readonly Issue[] => {
  const held = own.find((folder) => isWithin(folder.path, path))
  const what = `${showKey(key)} lies in ${quote(path)}, which`
  if (held !== undefined)
    return [{ path: key, message: `${what} holds ${showKey(held.key)}, ${quote(held.path)}`, fix: apart }]
  const holder = own.find((folder) => folder.key[1] !== 'state_dir' && isWithin(path, folder.path))
  if (holder === undefined) return []
  return [{ path: key, message: `${what} is part of ${showKey(holder.key)}, ${quote(holder.path)}`, fix: apart }]
}

/** What tenants can write must never be what is run. */
const checkCode = (service: Service, trees: readonly Folder[]): readonly Issue[] => {
  const tree = trees.find((folder) => isWithin(service.cwd, folder.path))
  if (tree === undefined) return []
  const path = ['service', service.name, 'cwd']
  const message = `${showKey(path)}, ${quote(service.cwd)}, lies in ${quote(tree.path)}, where tenants write (${showKey(tree.key)})`
  return [{ path, message, value: quote(service.cwd), fix: 'keep the code outside of the data' }]
}

/** Grants that would open what belongs to tenement or to other tenants. */
const checkOpened = (service: Service, closed: readonly Folder[]): readonly Issue[] =>
  grantsOf(service).flatMap(({ key, path }) => {
    const opened = closed.find((folder) => isWithin(folder.path, path) || isWithin(path, folder.path))
    if (opened === undefined) return []
    const message = `${showKey(key.slice(0, -1))} holds ${quote(path)}, which would open ${showKey(opened.key)}, ${quote(opened.path)}`
    return [{ path: key, message, value: quote(path), fix: 'grant a narrower path outside of it' }]
  })
