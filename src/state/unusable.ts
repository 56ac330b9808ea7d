// Turns what SQLite reports into an error a person can act on. Every path out of the state database goes through here.
// tenement never repairs, replaces or removes the file: it says which uid owns whose data, and a guess would hand it to another.
import { errorCodes, messageOf, TenementError } from '../errors.ts'

interface Reason {
  readonly what: string
  readonly fix: string
}

const restore = 'stop tenement, keep a copy of the file and restore it from a backup'

/** By primary result code of SQLite (https://www.sqlite.org/rescode.html). */
const reasons: Readonly<Record<number, Reason>> = {
  3: { what: 'access is not permitted', fix: 'give it to the user tenement runs as' },
  5: {
    what: 'another process holds it',
    fix: 'stop the other tenement, or give this one a settings.state_dir of its own',
  },
  6: {
    what: 'another process holds it',
    fix: 'stop the other tenement, or give this one a settings.state_dir of its own',
  },
  8: { what: 'it cannot be written', fix: 'make the file and its folder writable for the user tenement runs as' },
  10: { what: 'reading or writing it failed', fix: 'look for disk errors in the kernel log (dmesg)' },
  11: { what: 'it is damaged', fix: restore },
  13: { what: 'the disk is full', fix: 'free some space on the file system that holds it' },
  14: {
    what: 'it cannot be opened',
    fix: 'make the file and its folder readable and writable for the user tenement runs as',
  },
  26: { what: 'it is not a database', fix: restore },
}

const resultCodeOf = (thrown: unknown): number | undefined => {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number') return undefined
  return thrown.errcode & 0xff
}

/** An error of code 'state_unusable' that names the file, the reason and what to do. */
export const stateUnusable = (file: string, what: string, fix: string, cause?: unknown): TenementError =>
  new TenementError('state_unusable', `${errorCodes.state_unusable}: "${file}": ${what}`, { fix, cause })

/** Runs one use of the database at `file`; what SQLite throws becomes 'state_unusable', anything else passes unchanged. */
export const usingState = <Result>(file: string, use: () => Result): Result => {
  try {
    return use()
  } catch (thrown) {
    const code = resultCodeOf(thrown)
    if (code === undefined) throw thrown
    const reason = reasons[code] ?? { what: 'SQLite refused', fix: 'look up the message, and keep a copy of the file' }
    throw stateUnusable(file, `${reason.what} (${messageOf(thrown)})`, reason.fix, thrown)
  }
}
