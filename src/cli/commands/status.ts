// `tenement status X`: one instance in full. Its exit code says whether the instance runs, for scripts that only ask that.
import { instanceNamed } from '../../control/named.ts'
import type { Phase } from '../../control/operations.ts'
import { TenementError } from '../../errors.ts'
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { connect } from '../controlSocket.ts'
import { exitCodes } from '../exitCodes.ts'
import { formatError, reportOf } from '../formatError.ts'
import { formatStatus } from '../formatStatus.ts'
import { printJson } from '../printJson.ts'

/** The phases in which an instance has a process. */
const running: ReadonlySet<Phase> = new Set(['starting', 'ready', 'frozen', 'draining', 'stopping'])

export const status: CommandDefinition = {
  name: 'status',
  args: ['<instance>'],
  summary: 'Show one instance in full',
  more: 'Exits with 0 while it has a process, 3 when it has none, 4 when there is no such instance.',
  examples: [
    ['tenement status api:carol', 'its phase, process, requests, last exit'],
    ['tenement status api:carol --json', 'the same, for programs'],
  ],
  flags: [jsonFlag],
  run: async ({ args: [written = ''], given, terminal }) => {
    const name = instanceNamed(written)
    try {
      const found = await (await connect(given)).status(name)
      if (given.has('json')) printJson(terminal, found)
      else terminal.print(formatStatus(found, Date.now(), terminal.paint))
      return running.has(found.phase) ? exitCodes.ok : exitCodes.notRunning
    } catch (error) {
      const isUnknown = error instanceof TenementError && ['unknown_instance', 'unknown_service'].includes(error.code)
      if (!isUnknown) throw error
      terminal.note(formatError(reportOf(error), terminal.paintNote))
      return exitCodes.unknownInstance
    }
  },
}
