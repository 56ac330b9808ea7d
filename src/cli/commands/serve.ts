// `tenement serve`: checks the config, then this process becomes the launcher. What it serves and what to try next is said
// by the server, once it listens.

import type { Config } from '../../config/schema.ts'
import type { Checked } from '../checkConfig.ts'
import type { CommandDefinition, Invocation } from '../command.ts'
import { exitCodes } from '../exitCodes.ts'
import { unrunnableServices } from '../unrunnable.ts'

export const serve: CommandDefinition = {
  name: 'serve',
  args: [],
  summary: 'Serve the config in the foreground',
  more: 'Checks it first, and starts nothing when "tenement check" would find a problem. Ctrl-C stops every instance and ends it.',
  examples: [
    ['tenement serve', 'the config found in the usual places'],
    ['tenement serve --config /etc/tenement/tenement.toml', 'that one'],
    ['tenement serve --keep-going', 'without the services this machine cannot run'],
  ],
  flags: [{ flags: '--keep-going', help: 'refuse the services this machine cannot run and serve the others' }],
  run: async ({ given, terminal }) => {
    const { checkConfig } = await import('../checkConfig.ts')
    const checked = await checkConfig(given)
    const served = servable(checked, given.has('keepGoing'))
    if (checked.problems.length > 0) await tellProblems(checked, served, terminal)
    if (served === undefined) return exitCodes.usage
    const { launcherSettingsFor } = await import('../launcherSettings.ts')
    const { execLauncher } = await import('../../launcher/exec.ts')
    return execLauncher(await launcherSettingsFor(served.config, served.unrunnable))
  },
}

const tellProblems = async (
  checked: Checked,
  served: Servable | undefined,
  terminal: Invocation['terminal'],
): Promise<void> => {
  const { formatProblems } = await import('../../check/format.ts')
  terminal.note(`${formatProblems(checked.problems, process.cwd())}\n`)
  if (served === undefined) {
    const { formatCount } = await import('../formatCheck.ts')
    terminal.note(formatCount(checked))
    return
  }
  terminal.note(`serving without ${Object.keys(served.unrunnable).join(', ')}, as --keep-going says`)
}

export interface Servable {
  readonly config: Config
  /** Services whose requests are refused, each with the reason. */
  readonly unrunnable: Readonly<Record<string, string>>
}

/** What to serve; undefined when there is a problem that must be solved first, or nothing would be left. */
export const servable = (
  { config, problems }: Pick<Checked, 'config' | 'problems'>,
  keepGoing: boolean,
): Servable | undefined => {
  if (config === undefined) return undefined
  const unrunnable = problems.length === 0 ? {} : keepGoing ? unrunnableServices(problems) : undefined
  if (unrunnable === undefined) return undefined
  const isAnyLeft = [...config.services.keys()].some((name) => !Object.hasOwn(unrunnable, name))
  return isAnyLeft ? { config, unrunnable } : undefined
}
