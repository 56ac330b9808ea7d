// What lies where tenants cannot reach it by path, such as code in a clone below /root, shown to them below the run directory.
// The mounts live in a mount namespace of the launcher: the machine never sees them, and they end with it.
import { closeSync, fstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { messageOf } from '../errors.ts'
import { bindMount, leaveMountNamespace } from './libc.ts'
import type { CodeDir, Policy } from './protocol.ts'
import { openTrusted } from './safePath.ts'

interface Bind {
  readonly path: string
  readonly boundAt: string
  readonly isWritable: boolean
}

const bindsOf =
  (isWritable: boolean) =>
  ({ path, boundAt }: CodeDir): Bind[] =>
    boundAt === undefined ? [] : [{ path, boundAt, isWritable }]

/** A folder that several services share is bound for each of them, once. */
const allBinds = ({ codeDirs, grants }: Policy): readonly Bind[] => {
  const granted = Object.values(grants)
  const binds = [
    ...codeDirs.flatMap(bindsOf(false)),
    ...granted.flatMap(({ read }) => read.flatMap(bindsOf(false))),
    ...granted.flatMap(({ write }) => write.flatMap(bindsOf(true))),
  ]
  return [...new Map(binds.map((bind) => [bind.boundAt, bind])).values()]
}

/**
 * Takes a mount namespace of its own and binds everything that asks for it. Resolves false where this machine does not allow
 * mounts and none is needed; throws with the way out where one is.
 */
export const bindPlaces = (policy: Policy): boolean => {
  const binds = allBinds(policy)
  if (policy.tenantUids === undefined && binds.length === 0) return false
  try {
    leaveMountNamespace()
  } catch (error) {
    if (binds.length === 0) return false
    throw cannotShow(binds, error)
  }
  for (const bind of binds) {
    try {
      show(bind)
    } catch (error) {
      throw cannotShow([bind], error)
    }
  }
  return true
}

const cannotShow = (binds: readonly Bind[], error: unknown): Error => {
  const places = binds.map(({ path }) => `"${path}"`).join(', ')
  return new Error(
    `tenants cannot open ${places} by path, and this machine does not allow the mount that would show it to them (${messageOf(error)}); move it below /srv or /opt`,
    { cause: error },
  )
}

const show = ({ path, boundAt, isWritable }: Bind): void => {
  const source = openTrusted(path)
  try {
    makeTarget(boundAt, fstatSync(source).isDirectory())
    // The descriptor's name in /proc leads to what was opened, whatever the path names by now.
    bindMount(`/proc/self/fd/${source}`, boundAt, isWritable)
  } finally {
    closeSync(source)
  }
}

const makeTarget = (path: string, isDirectory: boolean): void => {
  mkdirSync(isDirectory ? path : dirname(path), { recursive: true, mode: 0o755 })
  if (!isDirectory) writeFileSync(path, '', { mode: 0o600 })
}
