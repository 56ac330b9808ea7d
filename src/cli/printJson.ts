// Output for programs: one JSON document, or one line of JSON for each thing as it comes.
import { visible } from '../config/problem.ts'
import type { Terminal } from './terminal.ts'

/** One line of JSON. Control characters beyond ASCII are escaped too: that means the same, and no terminal acts on them. */
export const toJsonLine = (value: unknown): string => visible(JSON.stringify(value))

export const printJson = (terminal: Terminal, value: unknown): void =>
  terminal.print(visible(JSON.stringify(value, null, 2)))
