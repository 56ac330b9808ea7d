// `tenement events [X]`: what happens to instances, a line each, as it happens.
import { nearest } from '../../config/suggest.ts'
import type { ControlClient } from '../../control/client.ts'
import { instanceNamed } from '../../control/named.ts'
import { isName, serviceOf } from '../../names.ts'
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { connect } from '../controlSocket.ts'
import { exitCodes } from '../exitCodes.ts'
import { formatEvent } from '../formatEvent.ts'
import { toJsonLine } from '../printJson.ts'
import type { Terminal } from '../terminal.ts'

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
    const filter = await filterFor(written, client)
    if (filter.service !== undefined) noteNobody(filter.service, await client.names(), terminal)
    for await (const event of client.events(filter))
      terminal.print(given.has('json') ? toJsonLine(event) : formatEvent(event, terminal.paint))
    return exitCodes.ok
  },
}

/** A service may have none yet, so it is waited for all the same. */
const noteNobody = (service: string, names: readonly string[], terminal: Pick<Terminal, 'note'>): void => {
  const services = new Set(names.map(serviceOf))
  if (services.has(service)) return
  const meant = nearest(service, services)
  const next = meant === undefined ? 'all there are: tenement ps' : `did you mean "${meant}"?`
  terminal.note(`there are no instances of "${service}"\n→ ${next}`)
}

/** 'api:carol' is an instance, 'api' a service. Throws a TenementError for what could be neither, and for an instance that there is not. */
const filterFor = async (
  written: string | undefined,
  client: Pick<ControlClient, 'status'>,
): Promise<{ readonly instance?: string; readonly service?: string }> => {
  if (written === undefined) return {}
  if (isName(written)) return { service: written }
  // Asked for its error: nothing would ever happen to one that is not there.
  await client.status(instanceNamed(written))
  return { instance: written }
}
