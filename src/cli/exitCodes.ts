// The exit code of every ending, once. Of `status` 3 and 4 are those that the Linux Standard Base has for services.
// Ctrl-C needs no code here: a process that SIGINT ends is 130 to its shell.
import type { ErrorCode } from '../errors.ts'

export const exitCodes = {
  ok: 0,
  failure: 1,
  /** The command line or the config is not right: nothing was done. */
  usage: 2,
  /** The config is right, and this machine cannot run it. */
  unsupported: 3,
  /** `status` of an instance without a process. */
  notRunning: 3,
  /** `status` of an instance that is not there. */
  unknownInstance: 4,
} as const

const usageErrors: ReadonlySet<ErrorCode> = new Set([
  'invalid_config',
  'unreadable_config',
  'invalid_profile',
  'missing_capability',
  'unusable_plugin',
  'invalid_name',
  'unwritable_report',
])

export const exitCodeFor = (code: ErrorCode): number => (usageErrors.has(code) ? exitCodes.usage : exitCodes.failure)
