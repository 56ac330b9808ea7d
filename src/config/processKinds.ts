// The kinds of value that say how a process is started, asked and ended, and as whom.
// As in kinds.ts a message is the second half of a sentence that begins with the key.
import { z } from 'zod'
import { splitCommand } from './command.ts'
import { listed, say, text } from './kinds.ts'

const commandSentence = 'must be a command such as "python3 app.py", or a list of its arguments'

/** The program and its arguments, templates not yet filled. */
export const command = () =>
  z
    .union([z.string(), z.array(z.string()).min(1)], say(commandSentence))
    .transform((value, context): readonly [string, ...string[]] => {
      const split = typeof value === 'string' ? splitCommand(value) : { argv: value }
      if ('problem' in split) context.addIssue({ code: 'custom', message: split.problem, params: { fix: split.fix } })
      const [program = '', ...rest] = 'argv' in split ? split.argv : ['?']
      if (program === '') context.addIssue({ code: 'custom', message: 'names no program' })
      return [program, ...rest]
    })
    .meta({ title: 'command' })

// What tenement itself tells an instance. LISTEN_* are those of sd_listen_fds(3).
const reservedVariables = new Set(['PORT', 'SOCKET_PATH', 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES'])

const isReserved = (name: string): boolean => reservedVariables.has(name) || name.startsWith('TENEMENT_')

/** The name of an environment variable (POSIX XBD section 8.1, lower case allowed) that tenement does not set itself. */
export const variable = () =>
  z
    .string()
    .regex(
      /^[A-Za-z_][A-Za-z0-9_]*$/,
      say('is no variable name: it must be letters, digits and "_", and not begin with a digit'),
    )
    .refine((name) => !isReserved(name), say('is set by tenement itself'))

/** The name of a secret: that of its file, which must lead nowhere else and hide nothing. */
export const secretName = () =>
  z
    .string()
    .regex(
      /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/,
      say(
        'is no name of a secret: it must be 1 to 64 letters, digits, "_", "." and "-", and not begin with "." or "-"',
      ),
    )

const signalNames = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const
const signalChoices = signalNames.flatMap((name) => [name, name.slice(3)])

/** A signal a program can handle, with or without SIG. */
export const signal = (fallback: string) =>
  z
    .enum(signalChoices, say(`must be ${listed(signalNames)}`))
    .transform((value) => signalNames.find((name) => name === value || name.slice(3) === value) ?? 'SIGTERM')
    .meta({ title: 'signal' })
    .prefault(fallback)

export type ReadySpelling =
  | { readonly kind: 'tcp' }
  | { readonly kind: 'http' }
  | { readonly kind: 'log'; readonly pattern: string }

/** "tcp", "http" or "log:<regular expression>". */
export const readiness = () =>
  z
    .string(say('must be "tcp", "http" or "log:" and a regular expression'))
    .transform((value, context): ReadySpelling => {
      if (value === 'tcp' || value === 'http') return { kind: value }
      const problem = value.startsWith('log:')
        ? problemOfPattern(value.slice(4))
        : 'must be "tcp", "http" or "log:" and a regular expression'
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
      return { kind: 'log', pattern: value.slice(4) }
    })
    .meta({ title: '"tcp", "http" or "log:<regex>"' })

const problemOfPattern = (pattern: string): string | undefined => {
  if (pattern === '') return 'must have a regular expression after "log:"'
  try {
    new RegExp(pattern)
    return undefined
  } catch (error) {
    return `does not hold a regular expression after "log:" (${error instanceof Error ? error.message : String(error)})`
  }
}

/** A path of a URL with its query, as it stands in a request line (RFC 9112 section 3.2.1). */
export const urlPath = () =>
  z
    .string(say('must be a path such as "/health"'))
    .regex(/^\/[!-~]*$/, say('must be a path such as "/health"'))
    .refine(
      (value) => !value.includes('#') && !value.startsWith('//'),
      say('must be a path such as "/health", with neither "#" nor "//" in front'),
    )
    .meta({ title: 'URL path' })

const pathOnly = 'must be a path such as "/healthz" without "?", or a list of them'

/** Paths without a query. */
export const urlPaths = () => {
  const one = urlPath().refine((value) => !value.includes('?'), say(pathOnly))
  return z
    .union([one, z.array(one)], say(pathOnly))
    .transform((value): readonly string[] => (typeof value === 'string' ? [value] : value))
    .meta({ title: 'URL path, or list' })
    .prefault([])
}

/** Whom the server may run as. Root is refused: the point of another user is that whoever reads from the network is not root. */
export const userName = () =>
  text('must be the name of a user')
    .refine((name) => name !== 'root' && name !== '0', say('must be a user other than root'))
    .meta({ title: 'name of a user' })

const uidSentence =
  'must be a range of uids from 1000 up to 2147483648, such as "700000-765535", without 65534 and 65535'

/** Uids no other account has. 65534 and 65535 are nobody and -1 of 16-bit interfaces; below 1000 is the system's own. */
export const uidRange = (fallback: string) =>
  z
    .string(say(uidSentence))
    .transform((value, context) => {
      const [, first, last] = (/^(\d{1,10})-(\d{1,10})$/.exec(value) ?? []).map(Number)
      if (first !== undefined && last !== undefined && isTenantRange(first, last)) return { first, last }
      context.addIssue({ code: 'custom', message: uidSentence })
      return z.NEVER
    })
    .meta({ title: 'range of uids' })
    .prefault(fallback)

const isTenantRange = (first: number, last: number): boolean =>
  first >= 1_000 && first <= last && last <= 2 ** 31 && (last < 65_534 || first > 65_535)
