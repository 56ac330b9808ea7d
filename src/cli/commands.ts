// Every command, in the order its help lists them.
import type { CommandDefinition } from './command.ts'
import { add } from './commands/add.ts'
import { check } from './commands/check.ts'
import { completion } from './commands/completion.ts'
import { configSchema } from './commands/configSchema.ts'
import { configShow } from './commands/configShow.ts'
import { disable } from './commands/disable.ts'
import { enable } from './commands/enable.ts'
import { events } from './commands/events.ts'
import { explain } from './commands/explain.ts'
import { init } from './commands/init.ts'
import { logs } from './commands/logs.ts'
import { metrics } from './commands/metrics.ts'
import { open } from './commands/open.ts'
import { openapi } from './commands/openapi.ts'
import { pause } from './commands/pause.ts'
import { ps } from './commands/ps.ts'
import { remove } from './commands/remove.ts'
import { restart } from './commands/restart.ts'
import { resume } from './commands/resume.ts'
import { seccompCompile } from './commands/seccompCompile.ts'
import { seccompDiff } from './commands/seccompDiff.ts'
import { seccompExplain } from './commands/seccompExplain.ts'
import { seccompLint } from './commands/seccompLint.ts'
import { serve } from './commands/serve.ts'
import { status } from './commands/status.ts'
import { stop } from './commands/stop.ts'
import { trace } from './commands/trace.ts'
import { version } from './commands/version.ts'
import { wait } from './commands/wait.ts'
import { wake } from './commands/wake.ts'
import { why } from './commands/why.ts'

export const commands: readonly CommandDefinition[] = [
  init,
  serve,
  check,
  ps,
  status,
  why,
  open,
  logs,
  add,
  remove,
  wake,
  stop,
  restart,
  enable,
  disable,
  pause,
  resume,
  trace,
  events,
  wait,
  metrics,
  explain,
  configShow,
  configSchema,
  openapi,
  seccompCompile,
  seccompExplain,
  seccompDiff,
  seccompLint,
  completion,
  version,
]

/** What commands of two words have in common, by their first word. */
export const groups: Readonly<Record<string, string>> = {
  config: 'Show the config, or the schema of its file',
  seccomp: 'Make, explain, compare and lint seccomp profiles',
}
