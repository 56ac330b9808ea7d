// What `check` must know about the machine beside what it finds in the file system.
import { dirname } from 'node:path'
import type { Machine } from '../isolation/adapter.ts'

export interface CheckMachine extends Machine {
  /** The PATH of instances that set none of their own: `basePath(process.execPath)`. */
  readonly path: string
  /** What keeps the seccomp profile of this name or path from being used here; undefined when nothing does. Absent: not asked. */
  readonly profileProblem?: ProfileProblem
}

/** A profile as a service or an adapter names it, and the folder that a relative path is relative to. */
export type ProfileProblem = (
  profile: string,
  folder: string,
) => Promise<{ readonly message: string; readonly fix?: string; readonly suggestion?: string } | undefined>

const usualFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** The PATH of instances: the usual folders, and the one of the Node that runs tenement, so that `node app.js` means that one. */
export const basePath = (execPath: string): string => [...new Set([...usualFolders, dirname(execPath)])].join(':')
