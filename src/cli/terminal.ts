// Where a command reads and writes: results on stdout, everything else on stderr, colours and questions only for a person.
// A reader that leaves (`tenement ps | head`) ends the command quietly; a disk that is full does not.
import { createInterface } from 'node:readline/promises'
import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan'

/** Gives text a style, or leaves it as it is where colours are not wanted. */
export type Paint = (style: Style, text: string) => string

export interface Terminal {
  /** Writes a result, a line or several. */
  print(text: string): void
  printBytes(bytes: Uint8Array): void
  /** Writes for the person: progress, warnings, hints. */
  note(text: string): void
  /** Shows what is being done, in the one line of stderr that the next replaces and '' clears; nothing where `showsProgress` is false. */
  progress(text: string): void
  readonly showsProgress: boolean
  /** Whether stdout is a terminal, which acts upon control characters. */
  readonly isInteractive: boolean
  /** How many characters fit into a line of stdout; undefined where it is no terminal. */
  readonly columns: number | undefined
  /** Whether a question can be asked and answered. */
  readonly canAsk: boolean
  /** Asks on stderr; resolves with whether the answer was yes. */
  confirm(question: string): Promise<boolean>
  /** For what goes to stdout. */
  readonly paint: Paint
  /** For what goes to stderr. */
  readonly paintNote: Paint
}

/** no-color.org and force-color.org; a "dumb" terminal shows escape sequences as they are. */
export const wantsColour = (
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
  isForbidden: boolean,
): boolean => {
  if (isForbidden || (env.NO_COLOR ?? '') !== '') return false
  if ((env.FORCE_COLOR ?? '') !== '') return env.FORCE_COLOR !== '0'
  return isTerminal && env.TERM !== 'dumb'
}

/** A line that is written over and over is for somebody who watches: not for a file, a "dumb" terminal or the log of a CI. */
export const wantsProgress = (env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean =>
  isTerminal && env.TERM !== 'dumb' && ['', 'false', '0'].includes(env.CI ?? '')

const painter = (colours: boolean): Paint =>
  colours ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text

const withNewline = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`)

const ask = async (question: string): Promise<boolean> => {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim())
  } finally {
    lines.close()
  }
}

/** The terminal of this process. */
export const openTerminal = (noColour: boolean): Terminal => {
  const { stdout, stderr, stdin, env } = process
  const showsProgress = wantsProgress(env, stderr.isTTY === true)
  return {
    print: (text) => void stdout.write(withNewline(text)),
    printBytes: (bytes) => void stdout.write(bytes),
    note: (text) => void stderr.write(withNewline(text)),
    progress: (text) => {
      // A terminal that does not say how wide it is says 0. CR, and ECMA-48's "erase in line"; shorter than the line, or every update would begin another.
      if (showsProgress) stderr.write(`\r\u001b[K${text.slice(0, (stderr.columns || 80) - 1)}`)
    },
    showsProgress,
    isInteractive: stdout.isTTY === true,
    columns: stdout.isTTY === true ? stdout.columns : undefined,
    canAsk: stdin.isTTY === true && stderr.isTTY === true,
    confirm: ask,
    paint: painter(wantsColour(env, stdout.isTTY === true, noColour)),
    paintNote: painter(wantsColour(env, stderr.isTTY === true, noColour)),
  }
}

/** Ends the process when stdout cannot be written any more: quietly when the reader left, with code 1 for other reasons. */
export const endWithOutput = (): void => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    process.stderr.write(`error: cannot write the output: ${error.message}\n`)
    process.exit(1)
  })
  // Whoever does not read stderr gets no messages; there is nobody left to tell.
  process.stderr.on('error', () => process.exit(1))
}
