// Which services `serve --keep-going` refuses while it serves the others: those that this machine cannot run. What is wrong in
// the config itself is not this machine's fault and is never passed over. Pure.
import type { Problem } from '../config/problem.ts'

const machineCodes: readonly Problem['code'][] = ['unsupported_machine', 'missing_capability']

/** The reason by service; undefined when a problem must be solved before anything is served. */
export const unrunnableServices = (problems: readonly Problem[]): Readonly<Record<string, string>> | undefined => {
  const reasons: Record<string, string> = {}
  for (const { service, code, message } of problems) {
    if (service === undefined || !machineCodes.includes(code)) return undefined
    reasons[service] ??= message
  }
  return reasons
}
