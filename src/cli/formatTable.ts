// Rows of cells → aligned columns. Pure; knows nothing of what the cells mean. Colour is added after a cell was measured.
import type { Paint, Style } from './terminal.ts'

export interface Cell {
  readonly text: string
  readonly style?: Style
}

const gap = '  '

/** One line per row below the headings; columns as wide as their widest cell, nothing behind the last one. */
export const formatTable = (headings: readonly string[], rows: readonly (readonly Cell[])[], paint: Paint): string => {
  const all: readonly (readonly Cell[])[] = [headings.map((text): Cell => ({ text, style: 'bold' })), ...rows]
  const widths = headings.map((_, column) => Math.max(...all.map((row) => row[column]?.text.length ?? 0)))
  const lines = all.map((row) =>
    row
      .map(({ text, style }, column) => {
        const padding = column === row.length - 1 ? '' : ' '.repeat((widths[column] ?? 0) - text.length)
        return (style ? paint(style, text) : text) + padding
      })
      .join(gap),
  )
  return lines.join('\n')
}
