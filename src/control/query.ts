// What stands behind the '?' of a request to the control API → values. Each throws a Fault that says what a parameter may be. Pure.
import { formatInstance, isName } from '../names.ts'
import { Fault } from './fault.ts'
import { maxLogLines, usualLogLines } from './logs.ts'
import { instanceNamed } from './named.ts'
import { type Phase, phases } from './operations.ts'
import { parseWait, usualWait, waitSentence } from './waitTime.ts'
import type { InstanceEvent } from './wire.ts'

export const flagOf = (query: URLSearchParams, key: string): boolean => {
  const value = query.get(key) ?? 'false'
  if (value !== 'true' && value !== 'false') throw new Fault('bad_request', `"${key}" must be "true" or "false"`)
  return value === 'true'
}

export const linesOf = (query: URLSearchParams): number => {
  const value = query.get('lines') ?? String(usualLogLines)
  if (!/^\d{1,8}$/.test(value) || Number(value) > maxLogLines)
    throw new Fault('bad_request', `"lines" must be a number from 0 to ${maxLogLines}`)
  return Number(value)
}

export const phaseOf = (query: URLSearchParams): Phase => {
  const phase = phases.find((each) => each === query.get('phase'))
  if (phase === undefined) throw new Fault('bad_request', `"phase" must be one of ${phases.join(', ')}`)
  return phase
}

export const waitOf = (query: URLSearchParams): { readonly timeout: string; readonly timeoutMs: number } => {
  const timeout = query.get('timeout') ?? usualWait
  const timeoutMs = parseWait(timeout)
  if (timeoutMs === undefined) throw new Fault('bad_request', `"timeout" ${waitSentence}`)
  return { timeout, timeoutMs }
}

/** Which events a follower wants. What can be no name would be waited for for ever, so it is refused; one that is not there may come. */
export const wantedOf = (query: URLSearchParams): ((event: InstanceEvent) => boolean) => {
  const service = query.get('service')
  const written = query.get('instance')
  if (service !== null && !isName(service)) throw new Fault('bad_request', '"service" must be the name of a service')
  const instance = written === null ? null : formatInstance(instanceNamed(written))
  return (event) =>
    (service === null || event.service === service) && (instance === null || event.instance === instance)
}
