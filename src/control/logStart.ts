// Where the last n lines of a log begin, found by reading backwards from its end: a file of a gigabyte costs one chunk.
// Nothing is kept but the position; the lines themselves are read forwards afterwards, one chunk at a time.
import { type OpenLog, openBackwards } from './logFiles.ts'

const chunkBytes = 65_536
const newline = 10

export interface LogStart {
  /** Oldest first; the caller closes them. */
  readonly files: readonly OpenLog[]
  /** Offset in the first of them. */
  readonly offset: number
}

interface Found {
  readonly offset: number
  readonly lines: number
}

/** Where the last `wanted` lines of one file begin; with fewer lines than that, its beginning and how many there are. */
const findInFile = async ({ handle, size }: OpenLog, wanted: number): Promise<Found> => {
  const buffer = Buffer.alloc(chunkBytes)
  let lines = 0
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - chunkBytes)
    const { bytesRead } = await handle.read(buffer, 0, end - start, start)
    if (bytesRead === 0) break
    for (
      let at = buffer.lastIndexOf(newline, bytesRead - 1);
      at >= 0;
      at = at === 0 ? -1 : buffer.lastIndexOf(newline, at - 1)
    ) {
      // The newline that ends the file begins no line.
      if (start + at === size - 1) continue
      lines += 1
      if (lines === wanted) return { offset: start + at + 1, lines }
    }
    end = start
  }
  return { offset: 0, lines: size > 0 ? lines + 1 : 0 }
}

/** Opens the files that hold the last `lines` lines of the log at `path`, however many it was rotated into. */
export const findLogStart = async (path: string, lines: number): Promise<LogStart> => {
  let wanted = lines
  let offset = 0
  const files = await openBackwards(path, async (log) => {
    const found = wanted === 0 ? { offset: log.size, lines: 0 } : await findInFile(log, wanted)
    offset = found.offset
    wanted -= found.lines
    return wanted <= 0
  })
  return { files, offset }
}
