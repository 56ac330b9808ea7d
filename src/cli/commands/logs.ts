// `tenement logs X`: what an instance wrote, and with --follow what it writes. All of it goes to stdout: it is the data asked for.
import { maxLogLines } from '../../control/logs.ts'
import { instanceNamed } from '../../control/named.ts'
import type { LogLine } from '../../control/wire.ts'
import { type CommandDefinition, type Invocation, jsonFlag } from '../command.ts'
import { connect } from '../controlSocket.ts'
import { exitCodes } from '../exitCodes.ts'
import { formatLogLine } from '../formatLogLine.ts'
import { toJsonLine } from '../printJson.ts'
import { UsageError } from '../usageError.ts'

export const logs: CommandDefinition = {
  name: 'logs',
  args: ['<instance>'],
  summary: 'Print what an instance wrote to stdout and stderr',
  more: 'On a terminal control characters are shown as escapes unless --raw is given; elsewhere the bytes are passed on as they are.',
  examples: [
    ['tenement logs api:carol', 'the last 100 lines'],
    ['tenement logs api:carol -f', 'the same, then new lines as they come'],
    ['tenement logs api:carol -t -n 1000', 'the last 1000, each with its time and stream'],
  ],
  flags: [
    { flags: '-f, --follow', help: 'go on with new lines until ctrl-C' },
    { flags: '-n, --lines <number>', help: 'how many of the last lines, or "all"; 100 without it' },
    { flags: '-t, --timestamps', help: 'put time and stream before each line' },
    { flags: '--raw', help: 'do not escape control characters, even on a terminal' },
    { ...jsonFlag, help: 'print each line as JSON: at, stream, text, base64 (of what is not UTF-8)' },
  ],
  run: async ({ args: [written = ''], given, terminal }) => {
    const name = instanceNamed(written)
    const request = { lines: countFrom(given.text('lines')), follow: given.has('follow') }
    const print = printerFor(given, terminal)
    let count = 0
    for await (const line of (await connect(given)).logs(name, request)) {
      count += 1
      print(line)
    }
    if (count === 0 && request.lines > 0 && !request.follow) terminal.note(`${written} has written nothing yet`)
    return exitCodes.ok
  },
}

/** The number of lines asked for; throws a UsageError for what is no number. */
const countFrom = (written = '100'): number => {
  if (written === 'all') return maxLogLines
  if (/^\d{1,8}$/.test(written) && Number(written) <= maxLogLines) return Number(written)
  throw new UsageError(
    `--lines ${JSON.stringify(written)} is no number of lines`,
    'write a number such as 100, or "all"',
  )
}

const printerFor = (given: Invocation['given'], terminal: Invocation['terminal']): ((line: LogLine) => void) => {
  if (given.has('json')) return (line) => terminal.print(toJsonLine(line))
  const style = { escapes: terminal.isInteractive && !given.has('raw'), timestamps: given.has('timestamps') }
  return (line) => terminal.printBytes(formatLogLine(line, style))
}
