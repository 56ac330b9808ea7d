// How an error is told: the sentence with its code, an arrow, the next step; or the same as JSON for programs. Pure.
import { visible } from '../config/problem.ts'
import { messageOf, TenementError } from '../errors.ts'
import type { Paint } from './terminal.ts'
import { UsageError } from './usageError.ts'

/** An error as programs get it. */
export interface ErrorReport {
  readonly code: string
  readonly message: string
  readonly fix: string | null
}

/** Anything that was thrown; what no part of tenement threw on purpose is a fault in tenement. */
export const reportOf = (thrown: unknown): ErrorReport => {
  if (thrown instanceof TenementError) return { code: thrown.code, message: thrown.message, fix: thrown.fix ?? null }
  if (thrown instanceof UsageError) return { code: 'usage', message: thrown.message, fix: thrown.fix ?? null }
  return { code: 'internal', message: messageOf(thrown), fix: null }
}

/** What stands on stderr when a command fails. */
export const formatError = ({ code, message, fix }: ErrorReport, paint: Paint): string => {
  const line = `${paint('red', 'error:')} ${visible(message)} ${paint('dim', `(${code})`)}`
  return fix === null ? line : `${line}\n→ ${visible(fix)}`
}
