// What can be wrong with a config, as data: found as an issue at a path of keys, told as a problem at a line of the file.
// It does not know how a problem is printed; that is src/check/format.ts.
import { type ErrorCode, TenementError } from '../errors.ts'

/** Where in the file: keys and, inside lists, indices. ['service', 'notes', 'read', 0] */
export type KeyPath = readonly (string | number)[]

/** Something wrong, before anybody has looked up its line. */
export interface Issue {
  readonly path: KeyPath
  readonly message: string
  /** 'invalid_config' unless it says otherwise. */
  readonly code?: ErrorCode
  /** Set where another machine could run it as it is written; 'unsupported_machine' always means that. */
  readonly fault?: 'machine'
  /** As `showValue` writes it; never of an environment variable. */
  readonly value?: string
  readonly suggestion?: string
  readonly fix?: string
}

/** Something wrong at a place of the file. Lines and columns count from 1; both are absent when the whole file is meant. */
export interface Problem {
  readonly file: string
  readonly line?: number
  readonly column?: number
  /** 'service.notes.network'; empty when the whole file is meant. */
  readonly key: string
  readonly code: ErrorCode
  /** Set where this machine is at fault and not the config: another could run it as it is written. */
  readonly fault?: 'machine'
  readonly message: string
  readonly value?: string
  readonly suggestion?: string
  readonly fix?: string
  /** The one service that cannot run because of it; absent when it concerns all of tenement. */
  readonly service?: string
}

/** Orders problems as their keys stand in the file; those of the whole file first. */
export const byPlace = (a: Problem, b: Problem): number =>
  (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)

/** A config with every problem that was found in it. */
export class ConfigError extends TenementError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const [first] = problems
    const others = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
    const options = first?.fix === undefined ? {} : { fix: first.fix }
    super(first?.code ?? 'invalid_config', `${first?.message ?? 'the config cannot be used'}${others}`, options)
    this.problems = problems
  }
}

/** A path of keys as one would write it in the file: 'service.notes.read[0]', 'hosts."shop.acme.com"'. */
export const showKey = (path: KeyPath): string =>
  path.reduce<string>((shown, part) => {
    if (typeof part === 'number') return `${shown}[${part}]`
    const name = /^[A-Za-z0-9_-]+$/.test(part) ? part : quote(part)
    return shown === '' ? name : `${shown}.${name}`
  }, '')

/** A value as one would write it in the file, at most about 60 characters long. */
export const showValue = (value: unknown): string => {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (value instanceof Date) return value.toISOString()
  return Array.isArray(value) ? cut(`[${value.slice(0, 20).map(showValue).join(', ')}]`) : 'a table'
}

/** The text in double quotes, cut when long, with everything a terminal would act upon escaped. */
export const quote = (text: string): string =>
  visible(JSON.stringify(text.startsWith('/') ? text.slice(0, longestPath) : cut(text)))

/** A path is told whole: most stand in a command to be copied (PATH_MAX, path_resolution(7)). */
const longestPath = 4_096

const cut = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text)

// Control characters of both ranges, and those that reverse or hide text: a config must not be able to rewrite the terminal.
const hidden = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu

/** The text with every control character but line breaks and tabs written as \u escapes. */
export const visible = (text: string): string =>
  text.replace(hidden, (character) =>
    character === '\n' || character === '\t'
      ? character
      : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
