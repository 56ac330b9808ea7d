// `tenement why X`: how an instance came into the phase it is in, and what happens next.
import { instanceNamed } from '../../control/named.ts'
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { connect } from '../controlSocket.ts'
import { exitCodes } from '../exitCodes.ts'
import { printJson } from '../printJson.ts'

export const why: CommandDefinition = {
  name: 'why',
  args: ['<instance>'],
  summary: 'Say why an instance is awake, asleep or failing, and what happens next',
  more: 'What woke it, why it stopped the last time, and when something happens by itself. Of a request only method, host and kind of client are remembered.',
  examples: [
    ['tenement why api:carol', 'in sentences'],
    ['tenement why api:carol --json', 'the same, for programs'],
  ],
  flags: [jsonFlag],
  run: async ({ args: [written = ''], given, terminal }) => {
    const name = instanceNamed(written)
    const account = await (await connect(given)).why(name)
    const { formatAccount } = await import('../formatAccount.ts')
    if (given.has('json')) printJson(terminal, account)
    else terminal.print(formatAccount(account, Date.now(), terminal.paint))
    return exitCodes.ok
  },
}
