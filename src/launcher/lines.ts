// Bytes of a pipe → lines, whatever the bytes are. A line without end is cut into pieces, so nothing grows with it.

/** Longest line kept whole, in bytes. */
export const maxLineBytes = 16_384

/** Calls `onLine` for each complete line, without its end; `flush` passes on what is left when the pipe closes. */
export const splitLines = (onLine: (line: Buffer) => void): { push(chunk: Buffer): void; flush(): void } => {
  let rest: Buffer = Buffer.alloc(0)

  const takeWhole = (bytes: Buffer): Buffer => {
    let start = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      cut(bytes.subarray(start, end))
      start = end + 1
    }
    return bytes.subarray(start)
  }

  const cut = (line: Buffer): void => {
    for (let start = 0; start < line.length || start === 0; start += maxLineBytes)
      onLine(line.subarray(start, start + maxLineBytes))
  }

  return {
    push: (chunk) => {
      const left = takeWhole(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]))
      const whole = left.length - (left.length % maxLineBytes)
      if (whole > 0) cut(left.subarray(0, whole))
      // Copied: a slice would keep the whole chunk in memory for as long as the line goes on.
      rest = Buffer.from(left.subarray(whole))
    },
    flush: () => {
      if (rest.length > 0) onLine(rest)
      rest = Buffer.alloc(0)
    },
  }
}
