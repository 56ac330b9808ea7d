// Bytes → lines, in bounded memory: what a line has beyond the limit is left out, and the line goes on to its newline.
// Knows nothing of logs or sockets; the log reader and the client both cut with it.

const newline = 10

export interface LineCutter {
  /** The lines completed by this chunk, without their newlines. */
  push(chunk: Buffer): readonly Buffer[]
  /** What came after the last newline, if anything; the cutter is as new afterwards. */
  end(): Buffer | undefined
}

/** Cuts lines of at most `maxBytes`; the rest of a longer one is dropped. */
export const createLineCutter = (maxBytes: number): LineCutter => {
  let parts: Buffer[] = []
  let held = 0

  const hold = (part: Buffer): void => {
    const kept = part.subarray(0, maxBytes - held)
    if (kept.length === 0) return
    // Copied, as callers read into one buffer again and again.
    parts.push(Buffer.from(kept))
    held += kept.length
  }

  const take = (): Buffer => {
    const line = Buffer.concat(parts)
    parts = []
    held = 0
    return line
  }

  return {
    push: (chunk) => {
      const lines: Buffer[] = []
      let start = 0
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, start)) {
        hold(chunk.subarray(start, at))
        lines.push(take())
        start = at + 1
      }
      hold(chunk.subarray(start))
      return lines
    },
    end: () => (held === 0 ? undefined : take()),
  }
}
