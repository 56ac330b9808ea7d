// Finds the control socket of the tenement that a config file describes, without reading more of the file than two keys:
// the whole schema would cost each command 40 ms, and a mistake elsewhere in the file must not keep anyone from `ps`.
import { access } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { defaultDirectories } from '../config/directories.ts'
import { parseDocument, valueAt } from '../config/document.ts'
import { findConfig } from '../config/find.ts'
import { ConfigError } from '../config/problem.ts'
import { currentSurroundings, type Surroundings } from '../config/surroundings.ts'
import { readText } from '../config/text.ts'
import { type ControlClient, connectControl } from '../control/client.ts'
import { controlSocketPath } from '../control/socketPath.ts'
import type { Given } from './command.ts'
import { withSuggestions } from './suggestNames.ts'

/** The directories the file writes; each undefined when it does not. */
interface Written {
  readonly runDir: string | undefined
  readonly stateDir: string | undefined
}

const readWritten = async (file: string): Promise<Written> => {
  const document = parseDocument(file, await readText(file))
  const directory = (key: string): string | undefined => {
    const value = valueAt(document, ['settings', key])
    // Relative paths are relative to the folder of the file, as everywhere in it.
    return typeof value === 'string' ? resolve(dirname(file), value) : undefined
  }
  return { runDir: directory('run_dir'), stateDir: directory('state_dir') }
}

/** Without any config the default places are left: tenement may have been started by somebody else. */
const findWritten = async (named: string | undefined, surroundings: Surroundings): Promise<Written> => {
  const file = await findConfig(named, surroundings).catch((thrown: unknown) => {
    if (thrown instanceof ConfigError) return undefined
    throw thrown
  })
  return file === undefined ? { runDir: undefined, stateDir: undefined } : readWritten(file)
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** The socket to try. Throws a ConfigError when the config file that was found cannot be read. */
export const findControlSocket = async (named: string | undefined, surroundings: Surroundings): Promise<string> => {
  const written = await findWritten(named, surroundings)
  if (written.runDir !== undefined) return controlSocketPath(written.runDir)
  const own = controlSocketPath(defaultDirectories(surroundings, written.stateDir).runDir)
  if (surroundings.isRoot || (await isThere(own))) return own
  // A member of the group "tenement" asks the one that root started, whose directories are the system's.
  const systems = controlSocketPath(defaultDirectories({ ...surroundings, isRoot: true, env: {} }).runDir)
  return (await isThere(systems)) ? systems : own
}

/** A client of the tenement that --config, or the config found without it, describes. */
export const connect = async (given: Given): Promise<ControlClient> =>
  withSuggestions(connectControl(await findControlSocket(given.text('config'), currentSurroundings())))
