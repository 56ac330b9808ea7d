// Durations, sizes and long lines as people read them. Pure. Programs get milliseconds and bytes instead, by --json.

const durationUnits = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** '312ms', '12s', '3m'; with `parts` 2 also '3m 12s'. Rounded down: an uptime is never said to be longer than it is. */
export const formatDuration = (ms: number, parts: 1 | 2 = 1): string => {
  const first = durationUnits.findIndex(([, unit]) => ms >= unit)
  if (first < 0) return `${Math.max(0, Math.floor(ms))}ms`
  const shown: string[] = []
  let rest = ms
  for (const [name, unit] of durationUnits.slice(first, first + parts)) {
    const count = Math.floor(rest / unit)
    if (count > 0) shown.push(`${count}${name}`)
    rest -= count * unit
  }
  return shown.join(' ')
}

/** How long something took: '312ms', '1.2s', '3m 12s'. */
export const formatTook = (ms: number): string =>
  ms >= 1_000 && ms < 60_000 ? `${(Math.floor(ms / 100) / 10).toFixed(1)}s` : formatDuration(ms, 2)

const sizeUnits = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** '512 B', '1.5 MB', '12 MB', counted in 1024s as in tenement.toml. */
export const formatBytes = (bytes: number): string => {
  const power = bytes < 1 ? 0 : Math.min(sizeUnits.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  const shown = power > 0 && value < 9.95 ? value.toFixed(1) : value.toFixed(0)
  return `${shown} ${sizeUnits[power] ?? 'B'}`
}

/** The text in lines of at most `width` characters, broken at spaces; a longer word stands alone. Without a width it is one line. */
export const wrap = (text: string, width: number | undefined): readonly string[] => {
  if (width === undefined) return [text]
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}
