// `tenement seccomp diff`: the calls two profiles decide differently.
import type { Difference } from '../../seccomp/diff.ts'
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { exitCodes } from '../exitCodes.ts'
import { printJson } from '../printJson.ts'
import { archFlag, loadPolicy } from '../seccompProfile.ts'

export const seccompDiff: CommandDefinition = {
  name: 'seccomp diff',
  args: ['<before>', '<after>'],
  summary: 'Print the system calls that two seccomp profiles decide differently',
  examples: [
    ['tenement seccomp diff strict default', 'what "default" adds'],
    ['tenement seccomp diff default ./mine.json --json', 'for programs'],
  ],
  flags: [archFlag, jsonFlag],
  run: async ({ args: [before = '', after = ''], given, terminal }) => {
    const { differencesBetween } = await import('../../seccomp/diff.ts')
    const rows = differencesBetween(await loadPolicy(before, given), await loadPolicy(after, given))
    if (given.has('json')) printJson(terminal, rows)
    else if (rows.length === 0) terminal.print('no difference')
    else terminal.print([`- ${before}`, `+ ${after}`, ...rows.flatMap(format)].join('\n'))
    return exitCodes.ok
  },
}

/** One line where each says one thing, else the sentences that only one of them has. */
const format = ({ name, before, after }: Difference): readonly string[] =>
  before.length === 1 && after.length === 1
    ? [`${name}: ${before[0]} → ${after[0]}`]
    : [
        `${name}:`,
        ...before.filter((sentence) => !after.includes(sentence)).map((sentence) => `  - ${sentence}`),
        ...after.filter((sentence) => !before.includes(sentence)).map((sentence) => `  + ${sentence}`),
      ]
