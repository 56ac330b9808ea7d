// Parses TOML into plain tables, and takes out what no key of any kind may hold before anything else looks at it.
// On a syntax error nothing else can be known, so that problem stands alone.
import { parse, TomlDate, TomlError } from 'smol-toml'
import { ConfigError, type Issue, type KeyPath, type Problem, showKey } from './problem.ts'

export type Table = Record<string, unknown>

export const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** Throws a ConfigError with the line of the syntax error. */
export const parseDocument = (file: string, text: string): Table => {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof TomlError) throw new ConfigError([syntaxProblem(file, text, error)])
    throw error
  }
}

const syntaxProblem = (file: string, text: string, error: TomlError): Problem => {
  const [summary = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n')
  return {
    file,
    line: error.line,
    column: error.column,
    key: '',
    code: 'invalid_config',
    message: `this is not TOML: ${summary}${excerptOf(text, error)}`,
    fix: 'correct the line; whatever follows it has not been looked at',
  }
}

// A file without line breaks would be printed whole.
const longestExcerpt = 1_000

const excerptOf = (text: string, error: TomlError): string => {
  if (mayHoldSecret(text, error)) return ' (the line is not shown: it may hold a secret)'
  return error.codeblock.length > longestExcerpt
    ? ' (the line is too long to show)'
    : `\n\n${error.codeblock.trimEnd()}`
}

/** Tables whose values are never shown. */
const closed = /\b(?:env|secrets)\b/

/** Whether the excerpt lies in an environment, or among secrets. A text of several lines there may hold anything, lines that look like `[table]` included. */
const mayHoldSecret = (text: string, { line, codeblock }: TomlError): boolean => {
  const above = text.split('\n').slice(0, line)
  const first = above.findIndex((one) => closed.test(one))
  if (first < 0) return closed.test(codeblock)
  const isOver = above.slice(above.findLastIndex((one) => closed.test(one)) + 1).some((one) => /^\s*\[/.test(one))
  return !isOver || closed.test(codeblock) || /"""|'''/.test(above.slice(first).join('\n'))
}

const deepest = 16

/** Removes, and reports, what is dangerous under any key. Changes the document. Walks without recursion: a document may be a million tables deep. */
export const takeOutForbidden = (document: Table): readonly Issue[] => {
  const issues: Issue[] = []
  const pending: { readonly holder: Table | unknown[]; readonly path: KeyPath }[] = [{ holder: document, path: [] }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { holder, path } = next
    for (const [key, value] of entriesOf(holder)) {
      const at = [...path, key]
      const message = forbiddenBecause(key, value, at)
      if (message !== undefined) {
        issues.push({ path: at, message: `${showKey(at)} ${message}` })
        remove(holder, key)
      } else if (isTable(value) || Array.isArray(value)) pending.push({ holder: value, path: at })
    }
  }
  return issues
}

const entriesOf = (holder: Table | unknown[]): (readonly [string | number, unknown])[] =>
  Array.isArray(holder) ? [...holder.entries()].reverse() : Object.entries(holder)

// A NUL ends a string for the kernel: what was checked and what is opened would be two different paths.
const forbiddenBecause = (key: string | number, value: unknown, at: KeyPath): string | undefined => {
  if (key === '__proto__') return 'is not a key'
  if (typeof key === 'string' && key.includes('\0')) return 'holds a NUL character'
  if (typeof value === 'string' && value.includes('\0')) return 'holds a NUL character'
  return at.length > deepest ? 'lies deeper than anything in a config' : undefined
}

/** Takes one value out of a table or list. */
export const remove = (holder: Table | unknown[], key: string | number): void => {
  if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else delete holder[key]
}

/** What stands at a path; undefined where nothing does. */
export const valueAt = (document: unknown, path: KeyPath): unknown =>
  path.reduce<unknown>((value, key) => {
    if (Array.isArray(value)) return value[Number(key)]
    return isTable(value) && Object.hasOwn(value, key) ? value[key] : undefined
  }, document)

/** A copy that can be changed; dates are shared. */
export const copy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(copy)
  if (!isTable(value) || value instanceof TomlDate) return value
  return Object.assign(
    Object.create(null),
    Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)])),
  )
}
