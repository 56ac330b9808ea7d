// `tenement check --plugin`: has an adapter prove on this machine what it promises, and tells what came of it. Heavy: it starts a
// tenement of its own and attacks its instances.
import { isAbsolute, resolve } from 'node:path'
import { visible } from '../config/problem.ts'
import { prove } from '../conformance/prove.ts'
import type { ConformanceReport, Outcome, Proof } from '../conformance/report.ts'
import { exitCodes } from './exitCodes.ts'
import { type Cell, formatTable } from './formatTable.ts'
import { wrap } from './formatUnits.ts'
import { printJson } from './printJson.ts'
import type { Style, Terminal } from './terminal.ts'

/** Resolves with the exit code. Rejects with a TenementError where nothing could be proved. */
export const checkPlugin = async (plugin: string, terminal: Terminal, isJson: boolean): Promise<number> => {
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ending.abort())
  const report = await proveUnless(ending.signal, plugin, isJson ? () => undefined : (line) => terminal.note(line))
  if (report === undefined) {
    terminal.note('ended before everything was proved')
    return exitCodes.failure
  }
  if (isJson) printJson(terminal, report)
  else terminal.print(formatReport(report, terminal))
  return report.counts.failed > 0 ? exitCodes.unsupported : exitCodes.ok
}

/** Undefined where it was ended meanwhile; nothing is left of it then either. */
const proveUnless = async (
  signal: AbortSignal,
  plugin: string,
  say: (line: string) => void,
): Promise<ConformanceReport | undefined> => {
  const folder = process.cwd()
  const isPath = isAbsolute(plugin) || (plugin.includes('/') && !plugin.startsWith('@'))
  try {
    return await prove({ plugin: isPath ? resolve(folder, plugin) : plugin, folder, say, signal })
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

const styles: Readonly<Record<Outcome, Style>> = { held: 'green', failed: 'red', 'not run': 'yellow' }

const formatReport = (
  { name, file, proofs, counts, durationMs }: ConformanceReport,
  { paint, columns }: Pick<Terminal, 'paint' | 'columns'>,
): string => {
  const width = columns === undefined ? undefined : Math.max(columns - 30, 40)
  const table = formatTable(
    ['PROMISE', 'STATE', 'FINDING'],
    proofs.flatMap((proof) => cellsOf(proof, width)),
    paint,
  )
  const counted = `${counts.held} held, ${counts.failed} failed, ${counts['not run']} not run, in ${Math.round(durationMs / 1_000)} s`
  const verdict =
    counts.failed > 0
      ? `isolation "${visible(name)}" of ${visible(file)} does not keep what it promises: ${counted}\n→ mend what failed, or take the promise out of its capabilities`
      : `ok: isolation "${visible(name)}" of ${visible(file)}: ${counted}`
  return `${table}\n\n${verdict}`
}

const cellsOf = ({ about, sentence, outcome, because }: Proof, width: number | undefined): Cell[][] =>
  [sentence, ...because.map((each) => `  ${each}`)]
    .flatMap((line) => wrap(visible(line), width))
    .map((text, index) =>
      index === 0
        ? [{ text: about }, { text: outcome, style: styles[outcome] }, { text }]
        : [{ text: '' }, { text: '' }, { text }],
    )
