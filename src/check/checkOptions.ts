// Whether [service.X.options] says what its adapter understands. The adapter's schema decides; here its answer gets the place in
// the file and, where the schema tells what it would have taken, a suggestion.
import { type Issue, type KeyPath, quote, showKey } from '../config/problem.ts'
import type { Service } from '../config/schema.ts'
import { nearest } from '../config/suggest.ts'
import type { IsolationAdapter } from '../isolation/adapter.ts'
import { type OptionIssue, optionIssues } from '../isolation/options.ts'

export const checkOptions = async (service: Service, adapter: IsolationAdapter): Promise<readonly Issue[]> => {
  const issues = await optionIssues(adapter.options, service.options)
  return issues.map((issue) => placed(issue, service, adapter.name))
}

const placed = (issue: OptionIssue, service: Service, adapter: string): Issue =>
  placedAt(issue, ['service', service.name, 'options'], `, for isolation ${quote(adapter)},`)

/** What a schema of an adapter says is wrong in a table of the config. */
export const placedAt = ({ message, path = [], expected }: OptionIssue, table: KeyPath, whose = ''): Issue => {
  const inside = path.map(keyOf)
  const at: KeyPath = [...table, ...inside]
  const suggestion = expected === undefined ? undefined : nearest(String(inside.at(-1) ?? ''), expected)
  return {
    path: at,
    message: `${showKey(at)}${whose} ${message}`,
    ...(suggestion === undefined ? {} : { suggestion }),
    fix: fixFor(suggestion, expected, showKey(at)),
  }
}

const keyOf = (part: NonNullable<OptionIssue['path']>[number]): string | number => {
  const key = typeof part === 'object' ? part.key : part
  return typeof key === 'number' ? key : String(key)
}

const fixFor = (suggestion: string | undefined, expected: readonly string[] | undefined, key: string): string => {
  if (suggestion !== undefined) return `did you mean ${quote(suggestion)}?`
  if (expected === undefined) return `correct or remove ${key}`
  return expected.length === 0 ? 'remove it: there are none' : `remove it; there are: ${expected.join(', ')}`
}
