// Files of this machine that nearly every program of a virtual machine reads: laid into its memory. Read over 9p each start of a
// program cost a quarter of a second, and with these in memory less than a tenth (measured; every mapped page and every open is a
// question to this machine). What is left out works as well, and slower.
import { execFileSync } from 'node:child_process'
import { readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { root as checkout } from '../../scripts/setup/paths.mjs'

const programs = ['sh', 'bwrap', 'cat', 'env', 'id', 'ip', 'prlimit', 'readlink', 'setpriv', 'sleep', 'true', 'unshare']
/** Of those a tenement loads when it starts. */
const packages = ['commander', 'koffi', '@koromix', 'pino', 'smol-toml', 'undici', 'zod', '@photostructure']

/** Absolute paths without symbolic links. */
export const oftenRead = () => {
  const found = programs.flatMap((name) => pathOf(name) ?? [])
  const libraries = [process.execPath, ...found].flatMap(librariesOf)
  const modules = packages.map((name) => realpathSync(join(checkout, 'node_modules', name)))
  const code = [join(checkout, 'dist'), ...modules].flatMap(codeIn)
  return new Set([...found, ...libraries, '/etc/ld.so.cache', ...code].map((path) => realpathSync(path)))
}

/** @param {string} name */
const pathOf = (name) =>
  ['/usr/bin', '/usr/sbin', '/bin', '/sbin'].map((folder) => join(folder, name)).find((path) => isThere(path))

/** @param {string} path */
const isThere = (path) => {
  try {
    return realpathSync(path) !== ''
  } catch {
    return false
  }
}

/** @param {string} program */
const librariesOf = (program) =>
  execFileSync('/usr/bin/ldd', [program], { encoding: 'utf8' }).match(/\/[^ :\n]+(?= \()/g) ?? []

/** @param {string} folder */
const codeIn = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.d)\.(js|cjs|mjs|json)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
