// `tenement completion bash`: what a shell needs to complete this command. The script calls it again, with what is typed so
// far, and gets the candidates: then whatever goes wrong is silence, as nobody asked for a message.
import { connectControl } from '../../control/client.ts'
import { parseInstance } from '../../names.ts'
import type { CommandDefinition } from '../command.ts'
import type { CompleteOptions, Completion } from '../completion/complete.ts'
import { type Shell, scripts, shells } from '../completion/scripts.ts'
import { findControlSocket } from '../controlSocket.ts'
import { exitCodes } from '../exitCodes.ts'

/** Whoever presses a key waits no longer than this for a server that is busy. */
const patienceMs = 1_000

export const completion: CommandDefinition = {
  name: 'completion',
  args: ['<shell>', '[words...]'],
  choices: { shell: shells },
  summary: 'Print what makes a shell complete commands, flags and names of instances',
  more: 'Names are those of the running server. With words behind "--" it prints what may stand in the place of the last of them.',
  examples: [
    ['source <(tenement completion bash)', 'in ~/.bashrc'],
    ['source <(tenement completion zsh)', 'in ~/.zshrc, behind compinit'],
    ['tenement completion fish > ~/.config/fish/completions/tenement.fish', 'once'],
  ],
  flags: [],
  run: async ({ args: [shell = '', ...words], terminal }) => {
    const known = shells.find((each) => each === shell) ?? 'bash'
    if (words.length === 0) {
      terminal.print(scripts[known])
      return exitCodes.ok
    }
    const { complete } = await import('../completion/complete.ts')
    terminal.print(linesFor(known, await complete(words, await options()).catch(() => [])))
    return exitCodes.ok
  },
}

/** bash shows no descriptions, and would take one for a part of the word. */
const linesFor = (shell: Shell, found: Completion): string => {
  if (found === 'files') return ':files'
  return found.map(({ value, help }) => (shell === 'bash' || help === '' ? value : `${value}\t${help}`)).join('\n')
}

/** Imported late: the table holds this command too. */
const options = async (): Promise<CompleteOptions> => ({
  ...(await import('../commands.ts')),
  names,
  profiles: async () => (await import('../../seccomp/find.ts')).shippedProfiles(),
  codes: async () => [...new Set((await import('../explanations.ts')).explanations.map(({ code }) => code))],
})

/** None where no server answers. What is no name is left out: it would reach a shell. */
const names = async (config: string | undefined): Promise<readonly string[]> => {
  const { currentSurroundings } = await import('../../config/surroundings.ts')
  try {
    const client = connectControl(await findControlSocket(config, currentSurroundings()))
    return (await client.names(patienceMs)).filter((name) => parseInstance(name) !== undefined)
  } catch {
    return [] // no server, no config, no right to ask: nothing to offer, and nobody who asked why
  }
}
