// Whether a path of the machine can be had by instances that do not see the machine's files as they are. Pure.
import type { Sight } from './adapter.ts'

const isAt = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)

/** What of an instance's own stands where `path` would have to be shown; undefined when nothing does. */
export const coveredBy = (path: string, { own, closed }: Sight): string | undefined =>
  own.find((each) => isAt(each, path)) ?? closed.find((each) => isAt(path, each))

/** Whether an instance with these grants finds `path`. */
export const isShown = (path: string, { shown }: Sight, granted: readonly string[]): boolean =>
  [...shown, ...granted].some((folder) => isAt(path, folder))
