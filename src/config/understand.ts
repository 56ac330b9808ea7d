// Holds a document against the schema and makes sentences of what does not fit. What does not fit is left out and the rest is
// read again, so that checks which come later see everything that is right, and one run tells all that is wrong.
import type { z } from 'zod'
import { namePattern } from '../names.ts'
import { copy, isTable, remove, type Table, valueAt } from './document.ts'
import { type Issue, type KeyPath, quote, showKey, showValue } from './problem.ts'
import { fileKeys, type ReadFile } from './schema.ts'
import { nearest } from './suggest.ts'
import { unknownKey } from './unknownKey.ts'

export interface Understood {
  /** What could be read; a service that lacks something it must have is not among the services. */
  readonly file: ReadFile
  readonly issues: readonly Issue[]
}

type SchemaIssue = z.core.$ZodIssue

// Leaving out a value can only show that something required is missing, whose table is then left out in turn.
const attempts = 5

export const understand = (document: Table): Understood => {
  const issues: Issue[] = []
  const rest = copy(document)
  for (let attempt = 0; attempt < attempts && isTable(rest); attempt += 1) {
    const read = fileKeys.safeParse(rest)
    if (read.success) return { file: read.data, issues }
    const found = read.error.issues
    issues.push(
      ...found
        .flatMap((issue) => describe(issue, document))
        .filter((issue) => attempt === 0 || !isKnown(issue, issues)),
    )
    leaveOut(rest, found)
  }
  return { file: fileKeys.parse({}), issues }
}

// What lacks a value because an earlier pass has taken out the wrong one has been reported already.
const isKnown = (issue: Issue, earlier: readonly Issue[]): boolean =>
  earlier.some(({ path }) => showKey(path) === showKey(issue.path))

/** Takes out the values the issues are about; where a value is missing, the table that lacks it. */
const leaveOut = (document: Table, issues: readonly SchemaIssue[]): void => {
  const paths = issues.flatMap((issue): KeyPath[] =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...keysOf(issue), key]) : [keysOf(issue)],
  )
  const present = paths.map((path) => (valueAt(document, path) === undefined ? path.slice(0, -1) : path))
  // Removing an element moves those behind it: so from the end, and each once.
  const unique = [...new Map(present.map((path) => [showKey(path), path])).values()]
  const elements = unique
    .filter((path) => typeof path.at(-1) === 'number')
    .sort((a, b) => Number(b.at(-1)) - Number(a.at(-1)))
  for (const path of [...elements, ...unique.filter((path) => typeof path.at(-1) === 'string')]) {
    const holder = valueAt(document, path.slice(0, -1))
    const key = path.at(-1)
    if (key !== undefined && (isTable(holder) || Array.isArray(holder))) remove(holder, key)
  }
}

const keysOf = (issue: SchemaIssue): KeyPath =>
  issue.path.map((part) => (typeof part === 'number' ? part : String(part)))

const describe = (issue: SchemaIssue, document: Table): readonly Issue[] => {
  const path = keysOf(issue)
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key))
  if (issue.code === 'invalid_key') return [badName(path, issue.issues[0]?.message ?? issue.message)]
  const value = valueAt(document, path)
  return [value === undefined ? missing(path) : badValue(path, value, issue)]
}

const badValue = (path: KeyPath, value: unknown, issue: SchemaIssue): Issue => {
  const shown = isSecret(path) ? {} : { value: showValue(value) }
  const options = issue.code === 'invalid_value' ? issue.values.map(String) : []
  const suggestion = suggestionFor(path, value, options)
  const hints = issue.code === 'custom' && typeof issue.params?.fix === 'string' ? { fix: issue.params.fix } : {}
  return {
    path,
    message: `${showKey(path)}${shown.value === undefined ? '' : ` = ${shown.value}`} ${issue.message}`,
    ...shown,
    ...(suggestion === undefined ? {} : { suggestion, fix: `write ${quote(suggestion)}` }),
    ...hints,
  }
}

const suggestionFor = (path: KeyPath, value: unknown, options: readonly string[]): string | undefined => {
  if (typeof value !== 'string' || isSecret(path)) return undefined
  if (path[0] === 'instances') return asName(value)
  return nearest(value, options)
}

/** Whether the path leads into an environment, whose values are never shown, or to where somebody may have written a secret itself instead of its file. */
export const isSecret = (path: KeyPath): boolean =>
  path[0] === 'service' && (path[2] === 'env' || path[4] === 'env' || path[2] === 'secrets')

const badName = (path: KeyPath, sentence: string): Issue => {
  const suggestion = isSecret(path) ? undefined : asName(String(path.at(-1)))
  const hint = suggestion === undefined ? {} : { suggestion, fix: `write ${quote(suggestion)}` }
  return { path, message: `${showKey(path)}${isSecret(path) ? '' : ': a name'} ${sentence}`, ...hint }
}

/** "Acme_Corp" as a name: "acme-corp". */
const asName = (text: string): string | undefined => {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return namePattern.test(name) ? name : undefined
}

const missing = (path: KeyPath): Issue => ({
  path,
  message: `${showKey(path)} is missing`,
  ...(fixForMissing[String(path.at(-1))] ?? {}),
})

const fixForMissing: Readonly<Record<string, { readonly fix: string }>> = {
  command: { fix: 'write what starts an instance: command = "python3 app.py"' },
  isolation: { fix: 'write how instances are confined: isolation = "none" leaves them the whole machine' },
  file: { fix: 'name the file that holds it: { file = "secrets/token" }' },
  plugin: { fix: 'write the package or path: plugin = "./my-adapter.js"' },
}
