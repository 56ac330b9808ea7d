// `tenement events [X]`: what happens to instances, a line each, as it happens.
import { instanceNamed } from '../../control/named.ts'
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { connect } from '../controlSocket.ts'
import { exitCodes } from '../exitCodes.ts'
import { formatEvent } from '../formatEvent.ts'
import { toJsonLine } from '../printJson.ts'

export const events: CommandDefinition = {
  name: 'events',
  args: ['[instance-or-service]'],
  summary: 'Print each change of phase as it happens',
  more: 'It goes on until ctrl-C, and ends when the server does. Programs may read GET /v1/events instead, which replays what was missed.',
  examples: [
    ['tenement events', 'of every instance'],
    ['tenement events api:carol', 'of one'],
    ['tenement events api --json', 'of those of a service, each as a line of JSON'],
  ],
  flags: [{ ...jsonFlag, help: 'print each event as JSON: id, kind, instance, service, phase, before, why, at, pid' }],
  run: async ({ args: [written], given, terminal }) => {
    const client = await connect(given)
    for await (const event of client.events(filterFor(written)))
      terminal.print(given.has('json') ? toJsonLine(event) : formatEvent(event, terminal.paint))
    return exitCodes.ok
  },
}

/** 'api:carol' is an instance, 'api' a service. Throws a TenementError for what is neither. */
const filterFor = (written: string | undefined): { readonly instance?: string; readonly service?: string } => {
  if (written === undefined) return {}
  if (!written.includes(':')) return { service: written }
  instanceNamed(written)
  return { instance: written }
}
