// Finds what somebody probably meant to write. Pure.

// Longer texts are no slip of the finger, and the table below grows with the square of the length.
const longest = 100

/** The candidate that is few enough slips away from the word, or undefined. Case alone is never a difference. */
export const nearest = (word: string, candidates: Iterable<string>): string | undefined => {
  if (word.length > longest) return undefined
  const allowed = Math.max(1, Math.floor(word.length / 3))
  const ranked = [...candidates]
    .filter((candidate) => candidate.length <= longest && candidate !== word)
    .map((candidate) => ({ candidate, slips: slipsBetween(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ slips }) => slips <= allowed)
    .sort((a, b) => a.slips - b.slips)
  return ranked[0]?.candidate
}

/** Damerau-Levenshtein distance: letters added, left out, replaced, or swapped with their neighbour (optimal string alignment). */
export const slipsBetween = (a: string, b: string): number => {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(
        Math.min(
          at(i - 1, j) + 1,
          at(i, j - 1) + 1,
          at(i - 1, j - 1) + same,
          swapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
  }
  return at(a.length, b.length)
}
