// `tenement add X`: an instance that tenement.toml does not declare. It starts with its first request.
import { visible } from '../../config/problem.ts'
import { instanceNamed } from '../../control/named.ts'
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { connect } from '../controlSocket.ts'
import { exitCodes } from '../exitCodes.ts'
import { printJson } from '../printJson.ts'

export const add: CommandDefinition = {
  name: 'add',
  args: ['<instance>'],
  summary: 'Add an instance of a service',
  more: 'It is remembered across restarts, and starts with its first request.',
  examples: [['tenement add api:carol', 'tenant "carol" of the service "api"']],
  flags: [jsonFlag],
  run: async ({ args: [written = ''], given, terminal }) => {
    const name = instanceNamed(written)
    const added = await (await connect(given)).add(name)
    if (given.has('json')) printJson(terminal, added)
    else terminal.print(`added ${added.instance}\n→ try it: curl http://${visible(added.address)}/`)
    return exitCodes.ok
  },
}
