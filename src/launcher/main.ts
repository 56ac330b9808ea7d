// Entry of the launcher process: reads its settings from the descriptor it was given, makes itself and all it will start
// unable to gain privileges or leave core files, and runs until it is told to end.
import { closeSync, readFileSync } from 'node:fs'
import { messageOf, TenementError } from '../errors.ts'
import { startLauncher } from './launcher.ts'
import { closeDescriptorsOnExec, disableCoreDumps, setNoNewPrivileges } from './libc.ts'
import { writeLogLine } from './log.ts'
import type { LauncherSettings } from './protocol.ts'

/** Its settings come from the command line's process, which is the same program run by the same user: they are trusted. */
const readSettings = (fd: number): LauncherSettings => {
  const settings = JSON.parse(readFileSync(`/proc/self/fd/${fd}`, 'utf8')) as LauncherSettings
  closeSync(fd)
  return settings
}

const environment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )

const main = async (): Promise<void> => {
  // Whatever the caller had: modes are given where things are made, and must come out as given.
  process.umask(0o022)
  closeDescriptorsOnExec(3)
  setNoNewPrivileges()
  disableCoreDumps()
  const launcher = await startLauncher({
    settings: readSettings(Number(process.argv[2])),
    env: environment(),
    log: writeLogLine,
    exit: (code) => process.exit(code),
  })
  // Bytes that are no message throw in Node's own reader of the channel, where nobody can catch them. Instances must not pay for
  // a server that sends such, nor for a fault here: the server is replaced, and what it had asked for is asked again.
  process.on('uncaughtException', (error) => {
    writeLogLine('error', 'a fault in the launcher: the server is replaced', { error: error.stack ?? messageOf(error) })
    launcher.restartServer()
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => launcher.end(signal))
  // A terminal that was closed: nobody is there to press Ctrl-C any more.
  process.on('SIGHUP', () => launcher.end('SIGTERM'))
}

main().catch((error: unknown) => {
  const { code, fix } = error instanceof TenementError ? error : {}
  writeLogLine('error', messageOf(error), {
    ...(code === undefined ? {} : { code }),
    ...(fix === undefined ? {} : { fix }),
  })
  process.exit(1)
})
