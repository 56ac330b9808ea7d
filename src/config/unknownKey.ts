// Says what was probably meant by a key that does not exist: a slip of the finger, a key of another table, or nothing.
import { type Issue, type KeyPath, quote, showKey } from './problem.ts'
import { fileKeys, overrideKeys, pluginKeys, secretKeys, serviceKeys, settingsKeys } from './schema.ts'
import { nearest } from './suggest.ts'

const tables: readonly {
  readonly name: string
  readonly isAt: (path: KeyPath) => boolean
  readonly keys: readonly string[]
}[] = [
  { name: 'the file', isAt: (path) => path.length === 0, keys: Object.keys(fileKeys.shape) },
  { name: '[settings]', isAt: (path) => path[0] === 'settings', keys: Object.keys(settingsKeys.shape) },
  {
    name: '[service.X]',
    isAt: (path) => path[0] === 'service' && path.length === 2,
    keys: Object.keys(serviceKeys.shape),
  },
  {
    name: '[service.X.tenant.ID]',
    isAt: (path) => path[0] === 'service' && path[2] === 'tenant' && path.length === 4,
    keys: Object.keys(overrideKeys.shape),
  },
  {
    name: '[service.X.secrets] NAME',
    isAt: (path) => path[0] === 'service' && path[2] === 'secrets' && path.length === 4,
    keys: Object.keys(secretKeys.shape),
  },
  { name: '[isolation.NAME]', isAt: (path) => path[0] === 'isolation', keys: Object.keys(pluginKeys.shape) },
]

/** The key is not one of the table at this path. */
export const unknownKey = (table: KeyPath, key: string): Issue => {
  const here = tables.find(({ isAt }) => isAt(table))
  const elsewhere = tables.find(({ keys }) => keys.includes(key))
  const suggestion = elsewhere === undefined ? meantKey(key, here?.keys ?? []) : undefined
  const fix =
    suggestion !== undefined
      ? `did you mean ${quote(suggestion)}?`
      : elsewhere !== undefined
        ? `it is a key of ${elsewhere.name}`
        : `remove it; ${keysThereAre(here)}`
  const message = `${table.length === 0 ? 'the file' : showKey(table)} has no key ${quote(key)}`
  return { path: [...table, key], message, ...(suggestion === undefined ? {} : { suggestion }), fix }
}

/** A slip of the finger, or the beginning of a key: "memory" for "memory_max". */
const meantKey = (key: string, keys: readonly string[]): string | undefined =>
  nearest(key, keys) ?? (key.length > 2 ? keys.find((candidate) => candidate.startsWith(key)) : undefined)

const keysThereAre = (table: (typeof tables)[number] | undefined): string =>
  table === undefined || table.keys.length > 14
    ? '"tenement config schema" tells the keys there are'
    : `${table.name} takes ${table.keys.join(', ')}`
