// The `plugin` of a config → the file of its module. A path is taken as it is, a folder and a package by what its package.json
// calls its entry. Looked for from the folder of the config, never from where tenement lies or was started.

import { readFile, realpath, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { messageOf } from '../errors.ts'
import { PluginFailure } from './host.ts'

export interface Located {
  /** The module or folder as the config leads to it. */
  readonly place: string
  /** The module, without symbolic links. */
  readonly file: string
}

/** `plugin` is an absolute path or the name of a package. Rejects with a PluginFailure. */
export const locatePlugin = async (plugin: string, folder: string): Promise<Located> => {
  const place = isAbsolute(plugin) ? plugin : await findPackage(plugin, folder)
  const status = await stat(place).catch((error: unknown) => {
    throw new PluginFailure(
      `"${place}" cannot be opened: ${messageOf(error)}`,
      'write the path of a module, or of a folder with a package.json',
    )
  })
  return { place, file: await realpath(status.isDirectory() ? await entryOf(place) : place) }
}

/** Folders named node_modules from `folder` up to the root directory, as Node looks for packages. */
const findPackage = async (name: string, folder: string): Promise<string> => {
  const places = createRequire(join(folder, 'tenement.toml')).resolve.paths(name) ?? []
  // The last ones are folders of the user's home and of Node's, from before packages had a folder of their own.
  const found = places.filter((place) => folder.startsWith(resolve(place, '..')) || place === '/node_modules')
  for (const place of found) {
    const status = await stat(join(place, name, 'package.json')).catch(() => undefined)
    if (status !== undefined) return join(place, name)
  }
  throw new PluginFailure(
    `there is no package "${name}" in node_modules of "${folder}" or of a folder above it`,
    `npm install --prefix "${folder}" ${name}, or write a path that begins with "./"`,
  )
}

const entryOf = async (folder: string): Promise<string> => {
  const file = join(folder, 'package.json')
  const parsed = await readFile(file, 'utf8')
    .then(JSON.parse)
    .catch((error: unknown) => {
      throw new PluginFailure(`"${file}" cannot be read: ${messageOf(error)}`)
    })
  const entry = targetOf(exportsOf(parsed)) ?? parsed.main ?? 'index.js'
  if (typeof entry !== 'string') throw new PluginFailure(`"${file}" names no entry that can be imported`)
  return resolve(folder, entry)
}

/** What stands for the package itself among its exports (Node.js documentation, "Packages: exports"). */
const exportsOf = ({ exports }: { readonly exports?: unknown }): unknown => {
  if (typeof exports !== 'object' || exports === null || Array.isArray(exports)) return exports
  return Object.keys(exports).some((key) => key.startsWith('.')) ? (exports as Record<string, unknown>)['.'] : exports
}

const conditions = ['node', 'import', 'default', 'module-sync']

const targetOf = (target: unknown): string | undefined => {
  if (typeof target === 'string') return target
  if (typeof target !== 'object' || target === null) return undefined
  const entries = Array.isArray(target)
    ? target
    : Object.entries(target).flatMap(([condition, value]) => (conditions.includes(condition) ? [value] : []))
  return entries.map(targetOf).find((found) => found !== undefined)
}
