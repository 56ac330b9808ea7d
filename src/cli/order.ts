// What the commands share that tell one instance to do something: ask, wait, print one short line with the time it took.
import { instanceNamed } from '../control/named.ts'
import type { InstanceStatus } from '../control/operations.ts'
import type { CommandDefinition } from './command.ts'
import { jsonFlag } from './command.ts'
import { connect } from './controlSocket.ts'
import { exitCodes } from './exitCodes.ts'
import { formatTook } from './formatUnits.ts'
import { printJson } from './printJson.ts'
import { whileShowing } from './progress.ts'

type Verb = 'wake' | 'stop' | 'restart' | 'enable' | 'disable' | 'pause' | 'resume'

type Words = Pick<CommandDefinition, 'summary' | 'examples'> & { readonly more: string }

/** A command that gives one instance an order and waits until it is carried out. */
export const orderCommand = (verb: Verb, words: Words): CommandDefinition => ({
  name: verb,
  args: ['<instance>'],
  ...words,
  flags: [jsonFlag],
  run: async ({ args: [written = ''], given, terminal }) => {
    const name = instanceNamed(written)
    const client = await connect(given)
    const begunMs = performance.now()
    const isShown = !given.has('json')
    const status = await whileShowing({ client, name, terminal, isShown }, client[verb](name))
    if (given.has('json')) printJson(terminal, status)
    else terminal.print(formatOutcome(status, performance.now() - begunMs))
    return exitCodes.ok
  },
})

/** 'api:carol is ready after 312ms' */
const formatOutcome = ({ instance, phase }: Pick<InstanceStatus, 'instance' | 'phase'>, tookMs: number): string =>
  `${instance} is ${phase} after ${formatTook(tookMs)}`
