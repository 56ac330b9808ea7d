// The word behind `seccomp =` → the text of a profile: one that comes with tenement by its name, else a file of one's own.
// A name is letters, digits and dashes; anything else is a path. Does not look into the text.
import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nearest } from '../config/suggest.ts'
import { messageOf, TenementError } from '../errors.ts'

export interface FoundProfile {
  readonly file: string
  readonly text: string
}

const shippedDir = fileURLToPath(new URL('../../profiles/', import.meta.url))

/** Docker's own has 18 KB; a file far beyond it is something else. */
const mostBytes = 1_048_576

/** Rejects with a TenementError that says where it was looked for. Paths are relative to `baseDir`. */
export const readProfile = async (nameOrPath: string, baseDir: string): Promise<FoundProfile> => {
  if (!/^[A-Za-z0-9-]+$/.test(nameOrPath)) return await readOrExplain(resolve(baseDir, nameOrPath))
  const shipped = await shippedProfiles()
  if (shipped.includes(nameOrPath)) return await readOrExplain(resolve(shippedDir, `${nameOrPath}.json`))
  const meant = nearest(nameOrPath, shipped)
  const all = `${shipped.join(', ')}, or the path of a file: "./${nameOrPath}"`
  throw new TenementError('invalid_profile', `no seccomp profile is called "${nameOrPath}"`, {
    fix: meant === undefined ? `use ${all}` : `did you mean "${meant}"? There are ${all}`,
  })
}

/** Names of the profiles that come with tenement. */
export const shippedProfiles = async (): Promise<readonly string[]> =>
  (await readdir(shippedDir))
    .filter((name) => name.endsWith('.json'))
    .map((name) => basename(name, '.json'))
    .sort()

const readOrExplain = async (file: string): Promise<FoundProfile> => {
  try {
    return { file, text: await readRegular(file) }
  } catch (error) {
    throw new TenementError('invalid_profile', `the seccomp profile ${file} cannot be read: ${messageOf(error)}`, {
      fix: 'give the path of a file with an OCI seccomp profile, relative to tenement.toml or absolute',
      cause: error,
    })
  }
}

const readRegular = async (file: string): Promise<string> => {
  // Opening a FIFO would wait for a writer for ever.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = await handle.stat()
    if (!found.isFile()) throw new Error('it is no regular file')
    if (found.size > mostBytes) throw new Error(`it has ${found.size} bytes, and a profile has at most ${mostBytes}`)
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}
