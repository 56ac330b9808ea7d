// How modules are found and read in the thread of a plug-in (Node.js documentation, "Customization hooks"): tenement's own come from
// tenement itself, since a plug-in is often a single file with nothing installed beside it; and where tenement is root, none is
// read that others could change. What is required the old way, by require(), is not seen here.
import type { LoadHook, ResolveHook } from 'node:module'
import { fileURLToPath } from 'node:url'
import { problemOnWay } from './trust.ts'

export interface HookData {
  /** URL by what is imported. */
  readonly modules: Readonly<Record<string, string>>
  /** Below this URL everything is tenement's own. */
  readonly own: string
  /** Undefined where every file may be read. */
  readonly trusted: { readonly owner: number } | undefined
}

let given: HookData = { modules: {}, own: 'file:///', trusted: undefined }

/** Called by Node once, before anything is resolved. */
export const initialize = (data: HookData): void => {
  given = data
}

export const resolve: ResolveHook = (name, context, next) => {
  const url = Object.hasOwn(given.modules, name) ? given.modules[name] : undefined
  return url === undefined ? next(name, context) : { url, shortCircuit: true }
}

export const load: LoadHook = async (url, context, next) => {
  const isOurs = !url.startsWith('file:') || url.startsWith(given.own)
  if (given.trusted !== undefined && !isOurs) await requireTrusted(fileURLToPath(url), given.trusted.owner)
  return next(url, context)
}

const requireTrusted = async (path: string, owner: number): Promise<void> => {
  const change = await problemOnWay(path, owner)
  if (change === undefined) return
  const fix = `${change.fix}, or keep the plug-in where only root writes`
  throw Object.assign(new Error(`others than root could change what it does: ${change.who}`), { fix })
}
