// `tenement wait X --for PHASE`: returns when an instance is in a phase, for scripts that go on then.
import { instanceNamed } from '../../control/named.ts'
import { type Phase, phases } from '../../control/operations.ts'
import { parseWait, usualWait, waitSentence } from '../../control/waitTime.ts'
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { connect } from '../controlSocket.ts'
import { exitCodes } from '../exitCodes.ts'
import { formatTook } from '../formatUnits.ts'
import { printJson } from '../printJson.ts'
import { UsageError } from '../usageError.ts'

export const wait: CommandDefinition = {
  name: 'wait',
  args: ['<instance>'],
  summary: 'Wait until an instance is in a phase',
  more: 'Exits with 0 when it is, or was for however short a time meanwhile, and with 1 when the time is over first. It wakes nobody.',
  examples: [
    ['tenement wait api:carol --for asleep', 'returns when it sleeps, at once where it does'],
    ['tenement wait api:carol --for ready --timeout 2m', 'the same for another phase, for two minutes at most'],
  ],
  flags: [
    { flags: '--for <phase>', help: 'the phase to wait for', choices: phases },
    { flags: '--timeout <duration>', help: 'how long, such as 30s or 5m; 30s without it' },
    jsonFlag,
  ],
  run: async ({ args: [written = ''], given, terminal }) => {
    const name = instanceNamed(written)
    const phase = phaseFrom(given.text('for'))
    const timeout = given.text('timeout') ?? usualWait
    if (parseWait(timeout) === undefined)
      throw new UsageError(`--timeout ${JSON.stringify(timeout)} ${waitSentence}`, 'write --timeout 2m')
    const begunMs = performance.now()
    const status = await (await connect(given)).wait(name, { phase, timeout })
    if (given.has('json')) printJson(terminal, status)
    else terminal.print(`${written} is ${phase} after ${formatTook(performance.now() - begunMs)}`)
    return exitCodes.ok
  },
}

const phaseFrom = (written: string | undefined): Phase => {
  const phase = phases.find((each) => each === written)
  if (phase !== undefined) return phase
  throw new UsageError('wait needs the phase to wait for', `add --for and one of ${phases.join(', ')}`)
}
