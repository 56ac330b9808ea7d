// Filters by what they were made from, so that a thousand instances of a service cost one compilation and a changed file is
// never answered with the filter of what it said before. Keeps as many as there are profiles in a config, and a few more.
import { compileProfile, type Source } from './compileProfile.ts'

type Compile = (text: string, source: Source) => Uint8Array

const mostFilters = 64

/** compileProfile that remembers; failures are not remembered, since the installed libseccomp may be replaced. */
export const makeFilterCache = (compile: Compile = compileProfile): Compile => {
  const filters = new Map<string, Uint8Array>()
  return (text, source) => {
    const key = `${source.arch ?? ''}\n${text}`
    const filter = filters.get(key) ?? compile(text, source)
    // Deleted and set again it becomes the youngest; the oldest goes.
    filters.delete(key)
    filters.set(key, filter)
    const [oldest] = filters.keys()
    if (filters.size > mostFilters && oldest !== undefined) filters.delete(oldest)
    return filter
  }
}
