// Which file is the config: --config, else $TENEMENT_CONFIG, else the first that is there of ./tenement.toml, the user's and the system's.
// A file that was named is taken even when it is missing: falling back to another would run what nobody asked for.
import { access } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { ConfigError, quote } from './problem.ts'
import type { Surroundings } from './surroundings.ts'

/** An absolute path. Throws a ConfigError 'unreadable_config' when nothing was named and none is there. */
export const findConfig = async (named: string | undefined, surroundings: Surroundings): Promise<string> => {
  const wanted = named ?? surroundings.env.TENEMENT_CONFIG
  if (wanted !== undefined && wanted !== '') return resolve(surroundings.cwd, wanted)
  const candidates = usualPlaces(surroundings)
  for (const candidate of candidates) {
    if (await isThere(candidate)) return candidate
  }
  const file = candidates[0] ?? 'tenement.toml'
  const message = `there is no config: looked for ${candidates.map(quote).join(', ')}`
  throw new ConfigError([
    {
      file,
      key: '',
      code: 'unreadable_config',
      message,
      fix: '"tenement init" writes one for the program in a folder; or name one: --config <file>',
    },
  ])
}

const usualPlaces = ({ cwd, env, home }: Surroundings): readonly string[] => {
  const written = env.XDG_CONFIG_HOME
  const user = written !== undefined && isAbsolute(written) ? written : join(home, '.config')
  return [join(cwd, 'tenement.toml'), join(user, 'tenement/tenement.toml'), '/etc/tenement/tenement.toml']
}

// One that is there but may not be looked at is still the one: reading it says why it cannot be read.
const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    (error: unknown) =>
      error instanceof Error && 'code' in error && error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  )
