// Where tenement keeps things when the file does not say: the system's places as root, the user's own otherwise.
// systemd tells a unit its directories (systemd.exec(5), StateDirectory=); otherwise the XDG base directory specification holds.
import { isAbsolute, join } from 'node:path'
import type { Settings } from './schema.ts'
import type { Surroundings } from './surroundings.ts'

export type DefaultDirectories = Pick<Settings, 'dataDir' | 'runDir' | 'logDir' | 'stateDir'>

/** Absolute paths; nothing is looked up or made. `stateDir` is the written one, below which others may then fall. */
export const defaultDirectories = (surroundings: Surroundings, stateDir?: string): DefaultDirectories => {
  const unit = unitDirectories(surroundings)
  const own = surroundings.isRoot ? systemDirectories : userDirectories(surroundings, stateDir ?? unit.stateDir)
  return { ...own, ...unit, ...(stateDir === undefined ? {} : { stateDir }) }
}

const systemDirectories: DefaultDirectories = {
  dataDir: '/var/lib/tenement/data',
  stateDir: '/var/lib/tenement/state',
  runDir: '/run/tenement',
  logDir: '/var/log/tenement',
}

const userDirectories = (surroundings: Surroundings, writtenStateDir?: string): DefaultDirectories => {
  const { env, home } = surroundings
  const stateDir = writtenStateDir ?? join(absolute(env.XDG_STATE_HOME) ?? join(home, '.local/state'), 'tenement')
  const runtime = absolute(env.XDG_RUNTIME_DIR)
  return {
    dataDir: join(absolute(env.XDG_DATA_HOME) ?? join(home, '.local/share'), 'tenement/data'),
    stateDir,
    runDir: runtime === undefined ? join(stateDir, 'run') : join(runtime, 'tenement'),
    logDir: join(stateDir, 'log'),
  }
}

const unitDirectories = ({ env }: Surroundings): Partial<DefaultDirectories> => {
  const [state, run, log] = [env.STATE_DIRECTORY, env.RUNTIME_DIRECTORY, env.LOGS_DIRECTORY].map(firstOf)
  return {
    ...(state === undefined ? {} : { dataDir: join(state, 'data'), stateDir: join(state, 'state') }),
    ...(run === undefined ? {} : { runDir: run }),
    ...(log === undefined ? {} : { logDir: log }),
  }
}

// A unit with several directories of a kind gets them joined by colons.
const firstOf = (list: string | undefined): string | undefined => absolute(list?.split(':')[0])

// "All paths set in these environment variables must be absolute", else they are to be ignored (XDG base directory specification).
const absolute = (path: string | undefined): string | undefined =>
  path !== undefined && isAbsolute(path) ? path : undefined
