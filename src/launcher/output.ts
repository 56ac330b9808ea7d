// What an instance writes to stdout and stderr: read for as long as it lives, stamped, written to its log, its last lines kept.
// What comes faster than allowed is read and dropped, with a count in the log: the instance goes on, slowed a little, because
// a flood read at full speed would take the launcher's time from everybody else.
import type { Readable } from 'node:stream'
import { splitLines } from './lines.ts'
import type { LogFile } from './logFile.ts'

const newline = 10

/** Lines kept in memory for each run, to say why it ended. */
const keptLines = 20
const keptLineBytes = 512
/** What a line costs beside its own bytes: its time and the name of its stream. Without it empty lines would be free. */
const stampBytes = 30
/** Pause between two reads of an instance that writes too much, in milliseconds: at most some 30 MB a second are read and dropped. */
const floodPauseMs = 2

export interface Output {
  /** Reads a stream of the instance under a name of three letters: 'out' or 'err'. */
  read(stream: Readable, name: 'out' | 'err'): void
  /** Writes a remark of tenement's own into the log. */
  remark(text: string): void
  lastLines(): readonly string[]
  /** Passes lines on from now on, those kept first; undefined stops it. */
  watch(onLines: ((lines: readonly string[]) => void) | undefined): void
  /** Writes what is left and closes the log. */
  close(): void
}

export interface OutputOptions {
  readonly log: LogFile
  /** Bytes that may be logged in any second; a burst of ten times as many is let through. */
  readonly bytesPerSecond: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export const readOutput = ({ log, bytesPerSecond, now }: OutputOptions): Output => {
  const kept: string[] = []
  let watcher: ((lines: readonly string[]) => void) | undefined
  let allowance = bytesPerSecond * 10
  let lastRefill = now()
  const dropped = { lines: 0, bytes: 0 }
  /** What takes the last line of each stream that has not ended. */
  const unfinished = new Set<() => void>()

  const stamp = (name: string, line: Buffer): Buffer =>
    Buffer.concat([Buffer.from(`${new Date(now()).toISOString()} ${name} `), line, Buffer.from('\n')])

  const refill = (): void => {
    const time = now()
    allowance = Math.min(bytesPerSecond * 10, allowance + ((time - lastRefill) / 1000) * bytesPerSecond)
    lastRefill = time
  }

  const reportDropped = (): void => {
    if (dropped.lines === 0) return
    const text = `${dropped.lines} lines of ${dropped.bytes} bytes dropped`
    if (!log.append(stamp('log', Buffer.from(text)))) return
    dropped.lines = 0
    dropped.bytes = 0
  }

  const drop = (line: Buffer): void => {
    dropped.lines += 1
    dropped.bytes += line.length
  }

  /** The lines of one chunk are written together: one write(2) for each read(2), however short the lines are. */
  const write = (name: string, lines: readonly Buffer[]): void => {
    const allowed: Buffer[] = []
    for (const line of lines) {
      if (line.length + stampBytes > allowance) {
        drop(line)
        allowance = 0
        continue
      }
      allowance -= line.length + stampBytes
      allowed.push(line)
    }
    if (allowed.length === 0) return
    reportDropped()
    if (!log.append(Buffer.concat(allowed.map((line) => stamp(name, line))))) for (const line of allowed) drop(line)
  }

  /** Counts a chunk that is dropped whole, without making a line of each of its lines. */
  const skim = (chunk: Buffer): void => {
    // Byte by byte: a call for each line is fifty times slower where all of them are empty.
    for (let at = 0; at < chunk.length; at += 1) if (chunk[at] === newline) dropped.lines += 1
    dropped.bytes += chunk.length
    const tail = chunk.subarray(-keptLines * keptLineBytes).toString('latin1')
    keep(
      tail
        .split('\n')
        .slice(1, -1)
        .slice(-keptLines)
        .map((line) => Buffer.from(line, 'latin1')),
    )
  }

  /** How far into a chunk the lines go that are allowed: the others are not even made into lines. */
  const allowedBytes = (chunk: Buffer): number => {
    let at = 0
    for (let cost = 0; cost < allowance; ) {
      const end = chunk.indexOf(newline, at)
      if (end < 0) return chunk.length
      cost += end - at + stampBytes
      at = end + 1
    }
    return at
  }

  const keep = (lines: readonly Buffer[]): void => {
    const texts = lines.slice(-keptLines).map((line) => line.subarray(0, keptLineBytes).toString())
    kept.push(...texts)
    kept.splice(0, Math.max(0, kept.length - keptLines))
    watcher?.(lines.length > keptLines ? lines.slice(0, 200).map((line) => line.subarray(0, 4096).toString()) : texts)
  }

  return {
    read: (stream, name) => {
      let lines: Buffer[] = []
      const splitter = splitLines((line) => lines.push(line))
      const pass = (): void => {
        if (lines.length === 0) return
        keep(lines)
        write(name, lines)
        lines = []
      }
      const finish = (): void => {
        splitter.flush()
        pass()
      }
      unfinished.add(finish)
      stream.on('data', (chunk: Buffer) => {
        if (!unfinished.has(finish)) return // after `close`: nobody reads that log any more
        refill()
        const allowed = allowedBytes(chunk)
        if (allowed > 0) {
          splitter.push(chunk.subarray(0, allowed))
          pass()
        }
        if (allowed === chunk.length) return
        skim(chunk.subarray(allowed))
        stream.pause()
        setTimeout(() => stream.resume(), floodPauseMs)
      })
      stream.on('error', () => stream.destroy()) // the pipe's other end is gone: so is the instance, and its exit says so
      stream.on('close', () => {
        if (unfinished.delete(finish)) finish()
      })
    },
    remark: (text) => {
      log.append(stamp('log', Buffer.from(text)))
    },
    lastLines: () => [...kept],
    watch: (onLines) => {
      watcher = onLines
      if (onLines !== undefined && kept.length > 0) onLines([...kept])
    },
    close: () => {
      // Streams that are closed but have not said so yet, and those that something still holds open.
      for (const finish of unfinished) finish()
      unfinished.clear()
      reportDropped()
      log.close()
    },
  }
}
