// `tenement metrics`: what Prometheus would read, once, from the control socket.
import type { CommandDefinition } from '../command.ts'
import { connect } from '../controlSocket.ts'
import { exitCodes } from '../exitCodes.ts'

export const metrics: CommandDefinition = {
  name: 'metrics',
  args: [],
  summary: 'Print the metrics of the running server',
  more: 'In the text format of Prometheus, which reads the same from [settings] metrics = "127.0.0.1:9464".',
  examples: [
    ['tenement metrics', 'all of them'],
    ['tenement metrics | grep ^tenement_instances', 'how many instances are in which phase'],
  ],
  flags: [],
  run: async ({ given, terminal }) => {
    terminal.print(await (await connect(given)).metrics())
    return exitCodes.ok
  },
}
