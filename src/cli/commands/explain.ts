// `tenement explain CODE`: a word from an answer, an error or `ps`, in sentences. Needs neither config nor server.
import { nearest } from '../../config/suggest.ts'
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { exitCodes } from '../exitCodes.ts'
import type { Explanation } from '../explanations.ts'
import { formatTable } from '../formatTable.ts'
import { printJson } from '../printJson.ts'
import type { Paint } from '../terminal.ts'
import { UsageError } from '../usageError.ts'

export const explain: CommandDefinition = {
  name: 'explain',
  args: ['[code]'],
  summary: 'Say what a word of an error, an answer or a phase means, and what to do',
  more: 'Without a word, all of them. Needs neither a config nor a server.',
  examples: [
    ['tenement explain crashloop', 'what a client saw as x-tenement-reason'],
    ['tenement explain too_exposed', 'the code of an error'],
    ['tenement explain', 'every word there is'],
  ],
  flags: [jsonFlag],
  run: async ({ args: [code], given, terminal }) => {
    const { explanations } = await import('../explanations.ts')
    const found = code === undefined ? explanations : explanations.filter((each) => each.code === code)
    if (code !== undefined && found.length === 0) throw unknown(code, explanations)
    if (given.has('json')) printJson(terminal, found)
    else if (code === undefined) terminal.print(tableOf(explanations, terminal.paint))
    else terminal.print(found.map((each) => inSentences(each, terminal.paint)).join('\n\n'))
    return exitCodes.ok
  },
}

const unknown = (code: string, all: readonly Explanation[]): UsageError => {
  const close = nearest(code, new Set(all.map((each) => each.code)))
  return new UsageError(
    `there is nothing to explain about "${code}"`,
    close === undefined ? 'tenement explain lists every word' : `did you mean "${close}"?`,
  )
}

const tableOf = (all: readonly Explanation[], paint: Paint): string =>
  formatTable(
    ['WORD', 'IS', 'MEANS'],
    all.map(({ code, kind, means }) => [{ text: code }, { text: kind }, { text: means }]),
    paint,
  )

const inSentences = ({ code, kind, means, why, next }: Explanation, paint: Paint): string =>
  [`${paint('bold', code)} (${kind}): ${means}`, `  ${why}`, ...next.map((step) => `  → ${step}`)].join('\n')
