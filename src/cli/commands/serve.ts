// `tenement serve`: checks the config, then this process becomes the launcher. What it serves and what to try next is said
// by the server, once it listens.
import type { Checked } from '../checkConfig.ts'
import type { CommandDefinition, Invocation } from '../command.ts'
import type { Served } from '../launcherSettings.ts'

export const serve: CommandDefinition = {
  name: 'serve',
  args: [],
  summary: 'Serve the config in the foreground',
  more: 'Checks it first, and starts nothing while the config is wrong. A service that this machine cannot run as it is written is refused, with the reason, and the others are served; exits with 3 when none is left. Ctrl-C stops every instance and ends it.',
  examples: [
    ['tenement serve', 'the config found in the usual places'],
    ['tenement serve --config /etc/tenement/tenement.toml', 'that one'],
  ],
  flags: [
    {
      flags: '--keep-going',
      help: 'what it does anyway: refuse the services this machine cannot run, serve the others',
    },
  ],
  run: async ({ given, terminal }) => {
    const { checkConfig } = await import('../checkConfig.ts')
    const { servedOf } = await import('../unrunnable.ts')
    const checked = await checkConfig(given, 'used')
    const served = servedOf(checked)
    if (checked.problems.length > 0) await tellProblems(checked, served, terminal)
    if (typeof served === 'number') return served
    const { launcherSettingsFor } = await import('../launcherSettings.ts')
    const { execLauncher } = await import('../../launcher/exec.ts')
    return execLauncher(await launcherSettingsFor(served))
  },
}

const tellProblems = async (
  checked: Checked,
  served: Served | number,
  terminal: Invocation['terminal'],
): Promise<void> => {
  const { formatProblems } = await import('../../check/format.ts')
  terminal.note(`${formatProblems(checked.problems, process.cwd())}\n`)
  if (typeof served === 'number') {
    const { formatCount } = await import('../formatCheck.ts')
    terminal.note(formatCount(checked))
    return
  }
  const refused = Object.keys(served.unrunnable).join(', ')
  terminal.note(
    `${terminal.paintNote('yellow', 'warning:')} this machine cannot run ${refused}: refused, the others are served`,
  )
}
