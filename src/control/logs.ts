// Reads what an instance wrote: the last lines, and then what follows, across rotation and truncation.
// Only one chunk is held at a time and nothing is read before the last line was taken, so a slow reader costs nothing.
// Deliberately polls: a change notice says neither what happened nor to which file, and a look costs two system calls.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { InstanceName } from '../names.ts'
import { createLineCutter, type LineCutter } from './lineCutter.ts'
import { closeLogs, type OpenLog, openAfter } from './logFiles.ts'
import { parseLogLine } from './logLine.ts'
import { findLogStart } from './logStart.ts'
import type { LogLine } from './wire.ts'

export interface LogRequest {
  /** How many of the last lines to begin with. */
  readonly lines: number
  /** Goes on with new lines until `signal` aborts. */
  readonly follow: boolean
  readonly signal: AbortSignal
}

/** The lines of an instance's log, oldest first; none when it never wrote any. */
export type ReadLogs = (name: InstanceName, request: LogRequest) => AsyncIterable<LogLine>

/** Most lines that can be asked for; each is passed on as it is read, so this bounds time and not memory. */
export const maxLogLines = 10_000_000
/** Where nothing is said. */
export const usualLogLines = 100

const chunkBytes = 65_536
/** Beyond what the launcher ever writes on one line. */
const maxLineBytes = 65_536
const pollMs = 250

/** A log file being read, and how far. */
interface Reading {
  readonly log: OpenLog
  position: number
  readonly cutter: LineCutter
}

const begin = (log: OpenLog, position: number): Reading => ({ log, position, cutter: createLineCutter(maxLineBytes) })

/** Yields the lines up to `end`, or up to where the file ends by then. */
async function* readTo(reading: Reading, end: number): AsyncGenerator<LogLine> {
  const buffer = Buffer.alloc(chunkBytes)
  while (reading.position < end) {
    const wanted = Math.min(chunkBytes, end - reading.position)
    const { bytesRead } = await reading.log.handle.read(buffer, 0, wanted, reading.position)
    if (bytesRead === 0) return
    reading.position += bytesRead
    for (const line of reading.cutter.push(buffer.subarray(0, bytesRead))) yield parseLogLine(line)
  }
}

function* lastLine(reading: Reading): Generator<LogLine> {
  const rest = reading.cutter.end()
  if (rest !== undefined) yield parseLogLine(rest)
}

/** Yields what was added since the last look; from the beginning when the file was cut short meanwhile. */
async function* readAdded(reading: Reading): AsyncGenerator<LogLine> {
  const { size } = await reading.log.handle.stat()
  if (size < reading.position) {
    reading.cutter.end()
    reading.position = 0
  }
  yield* readTo(reading, size)
}

/** Reads a file that will not grow any more to its end, and closes it. */
async function* finish(reading: Reading): AsyncGenerator<LogLine> {
  try {
    // Looked at again: its last lines may have been written just before it was renamed.
    yield* readAdded(reading)
    yield* lastLine(reading)
  } finally {
    await reading.log.handle.close()
  }
}

/** Resolves after a moment, or at once when the signal aborts. */
const pause = async (signal: AbortSignal): Promise<void> => {
  await sleep(pollMs, undefined, { signal }).catch((thrown: unknown) => {
    if (!signal.aborted) throw thrown
  })
}

async function* follow(path: string, newest: Reading | undefined, signal: AbortSignal): AsyncGenerator<LogLine> {
  let reading = newest
  try {
    while (!signal.aborted) {
      if (reading) yield* readAdded(reading)
      const next = await openAfter(path, reading?.log.key)
      if (next === undefined) {
        await pause(signal)
        continue
      }
      const old = reading
      reading = begin(next, 0)
      if (old) yield* finish(old)
    }
  } finally {
    await reading?.log.handle.close()
  }
}

async function* readLog(path: string, { lines, follow: goesOn, signal }: LogRequest): AsyncGenerator<LogLine> {
  const { files, offset } = await findLogStart(path, lines)
  try {
    const readings = files.map((log, index) => begin(log, index === 0 ? offset : 0))
    const newest = readings.pop()
    for (const older of readings) yield* finish(older)
    if (newest) yield* readTo(newest, newest.log.size)
    if (goesOn) yield* follow(path, newest, signal)
    else if (newest) yield* lastLine(newest)
  } finally {
    // Those closed already are not closed twice: a FileHandle knows.
    await closeLogs(files)
  }
}

/** Reads logs below `logDir`, where the launcher writes them: `<service>/<id>.log`. */
export const readLogsIn =
  (logDir: string): ReadLogs =>
  ({ service, id }, request) =>
    readLog(join(logDir, service, `${id}.log`), request)
