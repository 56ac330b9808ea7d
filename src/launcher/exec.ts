// From the command line's process to the launcher: the same process becomes another program, so that its pid stays the one
// the terminal or the service manager knows, and none of what reading the config needed stays in its memory.
import { writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { duplicateAbove, execute, keepAcrossExec, openMemoryFile } from './libc.ts'
import type { LauncherSettings } from './protocol.ts'

/** Variables of the caller's environment that the launcher and the server get; tenants get none of them. */
const passedOn = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'NO_COLOR', 'FORCE_COLOR', 'TERM', 'NOTIFY_SOCKET']

/** Becomes the launcher. Returns only by throwing. */
export const execLauncher = (settings: LauncherSettings): never => {
  const main = fileURLToPath(new URL('main.js', import.meta.url))
  const memory = openMemoryFile('tenement-settings')
  const content = Buffer.from(JSON.stringify(settings))
  for (let written = 0; written < content.length; )
    written += writeSync(memory, content, written, content.length - written, written)
  const fd = duplicateAbove(memory, 10)
  // Node marks the standard descriptors close-on-exec at its start, against leaks into children.
  for (const kept of [0, 1, 2, fd]) keepAcrossExec(kept)
  const env = Object.fromEntries(
    passedOn.flatMap((name) => [[name, process.env[name]]]).filter(([, value]) => value !== undefined),
  )
  return execute(process.execPath, [process.execPath, main, String(fd)], env)
}
