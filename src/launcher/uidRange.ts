// One holder for each uid range on a machine. Two launchers with different run directories but one range would give a uid to
// two tenants, and each would end the other's instances as leftovers of its own.
import { closeSync, mkdirSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { tryLock } from './libc.ts'

/** The same for every tenement of a machine, wherever it keeps its own files. Root's alone. */
export const machineDirectory = '/run/tenement-uids'

interface Range {
  readonly first: number
  readonly last: number
}

const parseRange = (name: string): Range | undefined => {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(name) ?? []
  return first === undefined || last === undefined ? undefined : { first: Number(first), last: Number(last) }
}

const overlap = (one: Range, other: Range): boolean => one.first <= other.last && other.first <= one.last

/** Holds the range for as long as this process lives; throws when another tenement holds one that overlaps. */
export const holdUidRange = (range: Range): void => {
  mkdirSync(machineDirectory, { recursive: true, mode: 0o700 })
  const own = `${range.first}-${range.last}`
  // Held before the others are looked at: of two that start together at least one sees the other.
  const isFree = lock(own) !== undefined
  const holder = isFree ? readdirSync(machineDirectory).find((name) => name !== own && isHeldOverlap(name, range)) : own
  if (holder !== undefined)
    throw new Error(
      `tenant uids ${own} are in use by another tenement on this machine (${holder}); set settings.tenant_uids to another range`,
    )
}

/** The descriptor that holds the lock; undefined when another process holds it. */
const lock = (name: string): number | undefined => {
  const fd = openSync(join(machineDirectory, name), 'a', 0o600)
  if (tryLock(fd)) return fd
  closeSync(fd)
  return undefined
}

const isHeldOverlap = (name: string, range: Range): boolean => {
  const other = parseRange(name)
  if (other === undefined || !overlap(other, range)) return false
  const fd = lock(name)
  if (fd === undefined) return true
  closeSync(fd)
  return false
}
