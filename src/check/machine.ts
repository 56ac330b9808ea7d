// What `check` must know about the machine beside what it finds in the file system.
import { dirname } from 'node:path'
import type { Machine } from '../isolation/adapter.ts'
import type { Surface } from './exposure/facts.ts'

export interface CheckMachine extends Machine {
  /** The PATH of instances that set none of their own: `basePath(process.execPath)`. */
  readonly path: string
  /** Makes a filter of the seccomp profile of this name or path; rejects with a TenementError where that cannot be done. */
  readonly tryProfile: TryProfile
  /** Whether the file system of a folder, which need not exist yet, holds projects to their quotas; rejects where it cannot be asked. */
  readonly quotaOn: QuotaOn
  /** What the profile allows that needs a reason and has none. */
  readonly lintProfile: LintProfile
  /** How much of the kernel the profile leaves open. */
  readonly weighProfile: WeighProfile
}

/** `folder` is what a relative path is relative to. */
export type TryProfile = (profile: string, folder: string) => Promise<unknown>

export type WeighProfile = (profile: string, folder: string) => Promise<Surface>

export type QuotaOn = (folder: string) => Promise<QuotaSupport>

/** With what the kernel said of it, or why not. */
export type QuotaSupport =
  | { readonly isKept: true; readonly proof: string }
  | { readonly isKept: false; readonly reason: string; readonly fix: string }

export type LintProfile = (profile: string, folder: string) => Promise<readonly { readonly call: string }[]>

const usualFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** The PATH of instances: the usual folders, and the one of the Node that runs tenement, so that `node app.js` means that one. */
export const basePath = (execPath: string): string => [...new Set([...usualFolders, dirname(execPath)])].join(':')
