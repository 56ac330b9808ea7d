// `tenement check`: everything that keeps this machine from serving the config, at once, and nothing started.
// The problems are what was asked for, so they are on stdout.
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { exitCodes } from '../exitCodes.ts'
import { printJson } from '../printJson.ts'

export const check: CommandDefinition = {
  name: 'check',
  args: [],
  summary: 'Say what is wrong with the config on this machine',
  more: 'Starts nothing. Exits with 2 when there is any problem.',
  examples: [
    ['tenement check', 'the config that "tenement serve" would take'],
    ['tenement check --config new.toml --json', 'another one, for programs'],
  ],
  flags: [jsonFlag],
  run: async ({ given, terminal }) => {
    const { checkConfig } = await import('../checkConfig.ts')
    const { formatCount, formatSound, reportCheck } = await import('../formatCheck.ts')
    const { formatProblems } = await import('../../check/format.ts')
    const checked = await checkConfig(given)
    const isSound = checked.problems.length === 0
    if (given.has('json')) printJson(terminal, reportCheck(checked))
    else terminal.print(isSound ? formatSound(checked) : formatProblems(checked.problems, process.cwd()))
    if (!isSound) terminal.note(formatCount(checked))
    return isSound ? exitCodes.ok : exitCodes.usage
  },
}
