// Rows of text and numbers → one aligned table. A number is written with as many digits as tell something.

const shown = (value) => {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'number') return String(value)
  if (Number.isInteger(value)) return String(value)
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1)
}

/** A row that could not be measured says `skipped` and why, below the others. @param {readonly string[]} columns names, which are keys of the rows as well */
export const formatTable = (columns, rows) => {
  const skipped = rows.filter((row) => row.skipped !== undefined)
  const measured = rows.filter((row) => row.skipped === undefined)
  const cells = [columns, ...measured.map((row) => columns.map((column) => shown(row[column])))]
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index].length)))
  const lines = cells
    .map((line) => line.map((cell, index) => (index === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[index]))))
    .map((line) => `  ${line.join('  ')}`.trimEnd())
  return [...lines, ...skipped.map((row) => `  ${row[columns[0]]}: not measured, ${row.skipped}`)].join('\n')
}
