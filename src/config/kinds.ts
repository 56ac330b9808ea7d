// The plain kinds of value a key can hold: each reads the file's spelling and turns it into the unit the code counts in.
// A message here is the second half of a sentence that begins with the key and what was written: 'idle_timeout = "x" must be …'.
import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { longestDurationMs, parseDuration, parseSize } from './units.ts'

/** The sentence of a kind, as zod takes it. */
export const say = (predicate: string) => ({ error: predicate })

/** A wrong type and an unreadable text are the same mistake to whoever wrote it, so both get this one sentence. */
const written = (predicate: string) => z.union([z.string(), z.number()], say(predicate))

const durationSentence = 'must be a duration such as "500ms", "5m" or "1h30m", or a number of seconds'

interface DurationOptions {
  /** Whether no time at all is a meaning of its own. */
  readonly zero?: boolean
}

const readDuration = (value: string | number, { zero = false }: DurationOptions): number | { problem: string } => {
  const milliseconds = parseDuration(value)
  if (milliseconds === undefined) return { problem: durationSentence }
  if (milliseconds > longestDurationMs) return { problem: 'must be at most "24d"' }
  return milliseconds > 0 || zero ? milliseconds : { problem: 'must be longer than 0' }
}

/** Milliseconds. The default is in the file's own spelling. */
export const duration = (fallback: string, options: DurationOptions = {}) =>
  written(durationSentence)
    .transform((value, context) => {
      const read = readDuration(value, options)
      if (typeof read === 'number') return read
      context.addIssue({ code: 'custom', message: read.problem })
      return z.NEVER
    })
    .meta({ title: 'duration' })
    .prefault(fallback)

/** Milliseconds, or undefined for "never". */
export const durationOrNever = (fallback: string, options: DurationOptions = {}) =>
  written(`${durationSentence}, or "never"`)
    .transform((value, context): number | undefined => {
      if (value === 'never') return undefined
      const read = readDuration(value, options)
      if (typeof read === 'number') return read
      context.addIssue({ code: 'custom', message: `${read.problem}, or "never"` })
      return z.NEVER
    })
    .meta({ title: 'duration or "never"' })
    .prefault(fallback)

const sizeSentence = 'must be a size such as "256MB" or "1G", or a number of bytes'

/** Bytes, at least `minimum`. */
export const size = (minimum: { readonly bytes: number; readonly written: string }) =>
  written(sizeSentence)
    .transform((value, context) => {
      const bytes = parseSize(value)
      if (bytes !== undefined && bytes >= minimum.bytes) return bytes
      const message =
        bytes === undefined ? sizeSentence : `is ${bytes} bytes, and must be at least "${minimum.written}"`
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    })
    .meta({ title: 'size' })

export const whole = (minimum: number, maximum: number) => {
  const sentence = `must be a whole number from ${minimum} to ${maximum}`
  return z.int(say(sentence)).min(minimum, say(sentence)).max(maximum, say(sentence)).meta({ title: 'whole number' })
}

export const positiveNumber = (maximum: number) => {
  const sentence = `must be a number above 0, at most ${maximum}`
  return z.number(say(sentence)).positive(say(sentence)).max(maximum, say(sentence)).meta({ title: 'number' })
}

export const numberBetween = (minimum: number, maximum: number) => {
  const sentence = `must be a number from ${minimum} to ${maximum}`
  return z.number(say(sentence)).min(minimum, say(sentence)).max(maximum, say(sentence)).meta({ title: 'number' })
}

export const flag = (fallback: boolean) =>
  z.boolean(say('must be true or false')).meta({ title: 'true or false' }).prefault(fallback)

export const choice = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, say(`must be ${listed(values)}`)).meta({ title: listed(values) })

/** Some of a few words, each at most once of use. */
export const choices = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z
    .array(z.enum(values, say(`must be ${listed(values)}`)), say(`must be a list of ${listed(values)}`))
    .readonly()
    .meta({ title: `list of ${listed(values)}` })
    .prefault([])

/** '"a"', '"a" or "b"', '"a", "b" or "c"' */
export const listed = (values: readonly string[]): string => {
  const quoted = values.map((value) => JSON.stringify(value))
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}

/** A text with something in it. */
export const text = (sentence = 'must be a text') =>
  z.string(say(sentence)).min(1, say(sentence)).meta({ title: 'text' })

/** A path as written; relative ones are made absolute against the config file's folder later. */
export const path = () => text('must be a path').meta({ title: 'path' })

export const paths = () =>
  z.array(path(), say('must be a list of paths')).readonly().meta({ title: 'list of paths' }).prefault([])

/** What a template such as `data` must at least be; its braces are checked where the values are known. */
export const templateText = () => text('must be a path').meta({ title: 'template' })

/** A package name, or a path of a module. */
export const plugin = () =>
  text('must be a package name or a path such as "./my-adapter.js"').meta({ title: 'package or path' })

/** Whether a plugin names a file rather than a package. */
export const isPluginPath = (name: string): boolean =>
  name.startsWith('./') || name.startsWith('../') || isAbsolute(name)
