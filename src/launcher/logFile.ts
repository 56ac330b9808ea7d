// One instance's log on disk: appended, rotated by size, never through a symlink. A disk that is full or a directory that
// went away loses lines, which the caller counts; it never stops anything.
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { makeDirectoryAt, openAt, openFlags, openPath } from './libc.ts'

export interface LogLimits {
  /** Size in bytes at which a file is rotated. */
  readonly maxBytes: number
  /** Files kept, the current one included. */
  readonly files: number
}

export interface LogPlace {
  readonly logDir: string
  readonly service: string
  readonly id: string
  /** Group that may read the log; undefined leaves it the writer's own. */
  readonly gid: number | undefined
}

export interface LogFile {
  /** Appends whole lines; false when they could not be written. */
  append(lines: Buffer): boolean
  close(): void
}

interface OpenLog {
  readonly directory: number
  readonly file: number
  size: number
}

/** The log `<logDir>/<service>/<id>.log`; opened at the first line. Rotated ones are `.1` (the newest) and up. */
export const openLogFile = (place: LogPlace, limits: LogLimits): LogFile => {
  let log: OpenLog | undefined

  const close = (): void => {
    if (log === undefined) return
    closeSync(log.file)
    closeSync(log.directory)
    log = undefined
  }

  const openWithRoomFor = (bytes: number): OpenLog => {
    log ??= open(place)
    if (log.size > 0 && log.size + bytes > limits.maxBytes) {
      rotate(log.directory, `${place.id}.log`, limits.files)
      close()
      log = open(place)
    }
    return log
  }

  return {
    append: (lines) => {
      try {
        const open = openWithRoomFor(lines.length)
        writeWhole(open, lines)
        open.size += lines.length
        return true
      } catch {
        // Opened afresh at the next line: the directory may be back, or there may be room again.
        close()
        return false
      }
    },
    close,
  }
}

/** All of it or nothing: a disk that becomes full in the middle of a line would leave its beginning to the next one. */
const writeWhole = ({ file, size }: OpenLog, lines: Buffer): void => {
  try {
    for (let written = 0; written < lines.length; ) written += writeSync(file, lines, written)
  } catch (error) {
    ftruncateSync(file, size)
    throw error
  }
}

const open = ({ logDir, service, id, gid }: LogPlace): OpenLog => {
  const root = openPath(logDir, openFlags.path | openFlags.directory)
  try {
    const isNew = makeDirectoryAt(root, service, 0o750)
    const directory = openAt(root, service, openFlags.directory)
    try {
      if (isNew && gid !== undefined) fchownSync(directory, fstatSync(directory).uid, gid)
      return { directory, ...openIn(directory, `${id}.log`, gid) }
    } catch (error) {
      closeSync(directory)
      throw error
    }
  } finally {
    closeSync(root)
  }
}

const openIn = (directory: number, name: string, gid: number | undefined): { file: number; size: number } => {
  const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants
  // O_NONBLOCK: where a FIFO was planted, opening fails at once instead of waiting for a reader.
  const file = openAt(directory, name, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o640)
  try {
    const stat = fstatSync(file)
    if (!stat.isFile() || stat.nlink !== 1) throw new Error(`"${name}" is not a plain file of one name`)
    if (gid !== undefined && stat.gid !== gid) fchownSync(file, stat.uid, gid)
    if ((stat.mode & 0o777) !== 0o640) fchmodSync(file, 0o640)
    return { file, size: stat.size }
  } catch (error) {
    closeSync(file)
    throw error
  }
}

/** Names below an open directory: a rename there cannot be led elsewhere. */
const rotate = (directory: number, name: string, files: number): void => {
  const at = (number: number): string => `/proc/self/fd/${directory}/${name}${number === 0 ? '' : `.${number}`}`
  rmSync(at(files - 1), { force: true })
  for (let number = files - 2; number >= 0; number -= 1) renameIfThere(at(number), at(number + 1))
}

const renameIfThere = (from: string, to: string): void => {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
