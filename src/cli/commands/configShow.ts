// `tenement config show`: what the config means with every default filled in, and which file it came from.
// Values of environment variables are secrets until somebody asks for them.
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { exitCodes } from '../exitCodes.ts'
import { printJson } from '../printJson.ts'

export const configShow: CommandDefinition = {
  name: 'config show',
  args: [],
  summary: 'Print the config with every default filled in',
  more: 'Values of environment variables are hidden unless --show-env is given.',
  examples: [
    ['tenement config show', 'as one could have written it'],
    ['tenement config show --json', 'for programs: durations in milliseconds, sizes in bytes'],
  ],
  flags: [{ flags: '--show-env', help: 'print the values of environment variables too' }, jsonFlag],
  run: async ({ given, terminal }) => {
    const { findConfig } = await import('../../config/find.ts')
    const { loadConfig } = await import('../../config/load.ts')
    const { currentSurroundings } = await import('../../config/surroundings.ts')
    const { formatConfig, reportConfig } = await import('../formatConfig.ts')
    const surroundings = currentSurroundings()
    const config = await loadConfig(await findConfig(given.text('config'), surroundings), surroundings)
    const showsEnv = given.has('showEnv')
    if (given.has('json')) printJson(terminal, reportConfig(config, showsEnv))
    else terminal.print(formatConfig(config, showsEnv))
    return exitCodes.ok
  },
}
