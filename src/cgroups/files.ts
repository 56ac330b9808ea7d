// Reading and writing the files of a cgroup, which are the kernel's: each write is one command, and an error is its answer.
import { existsSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** Throws what the kernel answered. Never creates: a file that is missing is an ENOENT, not an attempt to make it. */
export const writeKnob = (directory: string, file: string, value: number | string): void => {
  writeFileSync(join(directory, file), String(value), { flag: 'r+' })
}

export const hasKnob = (directory: string, file: string): boolean => existsSync(join(directory, file))

/** Text of a file; undefined where the cgroup or the file is not there. */
export const readKnob = (directory: string, file: string): string | undefined => {
  try {
    return readFileSync(join(directory, file), 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    // ENODEV: the cgroup was removed while its file was open (kernfs).
    if (code === 'ENOENT' || code === 'ENODEV') return undefined
    throw error
  }
}

/** The number behind `name` in a file of "name value" lines; 0 where there is none. */
export const readCounter = (directory: string, file: string, name: string): number => {
  const line = (readKnob(directory, file) ?? '').split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? 0 : Number(line.slice(name.length + 1))
}

export const pidsIn = (directory: string): readonly number[] =>
  (readKnob(directory, 'cgroup.procs') ?? '').split('\n').filter(Boolean).map(Number)

/** Removes a cgroup; true when it is gone, false while the kernel still counts a process in it. */
export const tryRemove = (directory: string): boolean => {
  try {
    rmdirSync(directory)
    return true
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return true
    if (code === 'EBUSY') return false
    throw error
  }
}

/** Asks every few milliseconds; resolves false when it was not so for `timeoutMs`. */
export const becomes = async (isSo: () => boolean, timeoutMs: number): Promise<boolean> => {
  const deadline = performance.now() + timeoutMs
  for (let waitMs = 1; !isSo(); waitMs = Math.min(waitMs * 2, 50)) {
    if (performance.now() > deadline) return false
    await delay(waitMs)
  }
  return true
}
