// `tenement ps`: every instance and its phase.
import { nearest } from '../../config/suggest.ts'
import type { ControlClient } from '../../control/client.ts'
import { phases } from '../../control/operations.ts'
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { connect } from '../controlSocket.ts'
import { exitCodes } from '../exitCodes.ts'
import { formatInstances } from '../formatInstances.ts'
import { printJson } from '../printJson.ts'
import type { Terminal } from '../terminal.ts'
import { UsageError } from '../usageError.ts'

export const ps: CommandDefinition = {
  name: 'ps',
  args: ['[service]'],
  summary: 'List instances',
  examples: [
    ['tenement ps', 'every instance'],
    ['tenement ps api', 'those of one service'],
    ['tenement ps --phase ready', 'those that run now'],
    ['tenement ps -q --phase crashlooped', 'their names alone, one on each line'],
  ],
  flags: [
    { flags: '-q, --quiet', help: 'print names alone' },
    { flags: '--phase <phase>', help: 'only those in this phase', choices: phases },
    jsonFlag,
  ],
  run: async ({ args: [service], given, terminal }) => {
    if (service?.includes(':'))
      throw new UsageError(`"${service}" is an instance, and ps takes a service`, `see tenement status ${service}`)
    const phase = given.text('phase')
    const client = await connect(given)
    if (given.has('quiet') && !given.has('json') && phase === undefined) return printNames(client, service, terminal)
    const all = await client.list()
    const instances = all.filter(
      (instance) =>
        (service === undefined || instance.service === service) && (phase === undefined || instance.phase === phase),
    )
    if (given.has('json')) printJson(terminal, instances)
    else if (given.has('quiet')) terminal.print(instances.map(({ instance }) => instance).join('\n'))
    else if (instances.length > 0) terminal.print(formatInstances(instances, terminal.paint))
    else
      terminal.note(
        describeNothing(
          service,
          phase,
          all.map((each) => each.service),
        ),
      )
    return exitCodes.ok
  },
}

/** Names alone cost a hundredth of what all else of ten thousand instances does. */
const printNames = async (client: ControlClient, service: string | undefined, terminal: Terminal): Promise<number> => {
  const names = await client.names()
  terminal.print(names.filter((name) => service === undefined || name.startsWith(`${service}:`)).join('\n'))
  return exitCodes.ok
}

/** What `ps` says when there is nothing to list, and what to do then. */
const describeNothing = (
  service: string | undefined,
  phase: string | undefined,
  services: readonly string[],
): string => {
  if (service === undefined && phase === undefined)
    return 'there are no instances yet\n→ declare them under [instances] in tenement.toml, or: tenement add api:carol'
  const which = [service === undefined ? '' : ` of "${service}"`, phase === undefined ? '' : ` in phase "${phase}"`]
  const meant = service === undefined || services.includes(service) ? undefined : nearest(service, new Set(services))
  const next = meant === undefined ? 'all there are: tenement ps' : `did you mean "${meant}"?`
  return `there are no instances${which.join('')}\n→ ${next}`
}
