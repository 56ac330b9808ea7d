// Code in a place that tenants cannot reach by path, such as a clone below /root, shown to them read-only below the run
// directory. The mounts live in a mount namespace of the launcher: the machine never sees them, and they end with it.
import { mkdirSync } from 'node:fs'
import { messageOf } from '../errors.ts'
import { bindReadOnly, leaveMountNamespace } from './libc.ts'
import type { CodeDir } from './protocol.ts'

/** Binds every directory that asks for it; throws with the way out where the machine does not allow mounts. */
export const bindCode = (codeDirs: readonly CodeDir[]): void => {
  const binds = codeDirs.flatMap(({ path, boundAt }) => (boundAt === undefined ? [] : [{ path, boundAt }]))
  if (binds.length === 0) return
  try {
    leaveMountNamespace()
    for (const { path, boundAt } of binds) {
      mkdirSync(boundAt, { recursive: true, mode: 0o755 })
      bindReadOnly(path, boundAt)
    }
  } catch (error) {
    const places = binds.map(({ path }) => `"${path}"`).join(', ')
    throw new Error(
      `tenants cannot open ${places} by path, and this machine does not allow the mount that would show it to them (${messageOf(error)}); move it below /srv or /opt`,
      { cause: error },
    )
  }
}
