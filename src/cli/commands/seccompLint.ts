// `tenement seccomp lint`: what a profile allows that needs a reason, and gives none. Exits with 2 where there is such a call.
import type { Unreasoned } from '../../seccomp/lint.ts'
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { exitCodes } from '../exitCodes.ts'
import { lintProfile } from '../lintProfile.ts'
import { printJson } from '../printJson.ts'
import { archFlag, archOf } from '../seccompProfile.ts'

export const seccompLint: CommandDefinition = {
  name: 'seccomp lint',
  args: ['<profile>'],
  summary: 'Ask for a reason beside every dangerous call that a seccomp profile allows',
  more: 'A reason is the "comment" of the entry that allows it. Exits with 2 where one is missing.',
  examples: [
    ['tenement seccomp lint ./mine.json', 'what it allows without saying why'],
    ['tenement seccomp lint ./mine.json --json', 'for programs'],
  ],
  flags: [archFlag, jsonFlag],
  run: async ({ args: [nameOrPath = ''], given, terminal }) => {
    const found = await lintProfile(nameOrPath, process.cwd(), archOf(given))
    if (given.has('json')) printJson(terminal, found)
    else terminal.print(found.length === 0 ? 'every dangerous call it allows has a reason' : found.map(row).join('\n'))
    if (found.length > 0 && !given.has('json'))
      terminal.note('→ remove each, or write why it is allowed: "comment": "…" in its entry')
    return found.length === 0 ? exitCodes.ok : exitCodes.usage
  },
}

const row = ({ place, call, args, why, source }: Unreasoned): string =>
  `${place}: ${args.length === 0 ? call : `${call}(${args.join(', ')})`} ${why} [${source}]`
