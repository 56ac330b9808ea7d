// `tenement remove X`: stops and forgets an added instance. Its data stays, unless a person or a script says twice that it goes.
import { visible } from '../../config/problem.ts'
import { instanceNamed } from '../../control/named.ts'
import type { Removal } from '../../control/operations.ts'
import { formatInstance } from '../../names.ts'
import { type CommandDefinition, type Invocation, jsonFlag } from '../command.ts'
import { connect } from '../controlSocket.ts'
import { exitCodes } from '../exitCodes.ts'
import { printJson } from '../printJson.ts'
import { UsageError } from '../usageError.ts'

export const remove: CommandDefinition = {
  name: 'remove',
  args: ['<instance>'],
  summary: 'Stop and forget an added instance; its data stays unless --purge',
  more: 'With --purge its data directory is deleted, which nothing brings back: asked for on a terminal, --yes needed elsewhere.',
  examples: [
    ['tenement remove api:carol', 'its data stays where it is'],
    ['tenement remove api:carol --purge', 'asks, then deletes its data too'],
  ],
  flags: [
    { flags: '--purge', help: 'delete its data directory too' },
    { flags: '-y, --yes', help: 'do not ask before deleting data' },
    jsonFlag,
  ],
  run: async ({ args: [written = ''], given, terminal }) => {
    const name = instanceNamed(written)
    const client = await connect(given)
    const purge = given.has('purge')
    // Asked for first: the question names the directory, and an instance that is not there is not asked about.
    const { dataDir } = await client.status(name)
    if (purge && !given.has('yes') && !(await isConfirmed(terminal, formatInstance(name), dataDir)))
      return exitCodes.failure
    const removal = await client.remove(name, { purge })
    if (given.has('json')) printJson(terminal, removal)
    else terminal.print(describeRemoval(formatInstance(name), removal))
    return exitCodes.ok
  },
}

const isConfirmed = async (terminal: Invocation['terminal'], instance: string, dataDir: string): Promise<boolean> => {
  if (!terminal.canAsk)
    throw new UsageError(`--purge deletes "${dataDir}" and there is no terminal to ask on`, 'add --yes to delete it')
  if (await terminal.confirm(`remove ${instance} and delete everything in "${visible(dataDir)}"?`)) return true
  terminal.note('nothing was removed')
  return false
}

/** What was removed, and where the data is if it is still there. */
const describeRemoval = (instance: string, { purged, dataDir }: Removal): string =>
  purged
    ? `removed ${instance} and its data in ${visible(dataDir)}`
    : `removed ${instance}; its data stays in ${visible(dataDir)}\n→ to use it again: tenement add ${instance}`
