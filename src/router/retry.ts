// Which requests may be sent to an instance a second time: those of which nothing can be done twice. Pure.
import type { Failed } from './attempt.ts'

/** What of a request decides about another try. */
export interface Repeatable {
  readonly method: string
  readonly hasBody: boolean
  readonly upgrade: string | undefined
  /** Whether POST and PATCH may be repeated: the client gave an Idempotency-Key, and the service takes its word for it. */
  readonly isKeyed: boolean
}

/** Methods a second delivery of which changes nothing, and those which change nothing at all (RFC 9110 section 9.2). */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const keyed = new Set(['POST', 'PATCH'])
const safe = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Whether it might ever go out once more with its body. */
export const isRepeatable = ({ method, upgrade, isKeyed }: Repeatable): boolean =>
  upgrade === undefined && (idempotent.has(method) || (isKeyed && keyed.has(method)))

/**
 * Whether a request whose connection broke may go out once more. An instance closes an idle connection just as a request is sent on
 * it: then nothing was done, almost certainly. On a fresh connection the request may be what brought the instance down, so only
 * safe methods get another chance. `isWhole`: the body can be sent from its beginning.
 */
export const mayRepeat = (failed: Failed, request: Repeatable, isWhole: boolean): boolean => {
  const { method, hasBody, upgrade } = request
  if (failed.heard || failed.begun || upgrade !== undefined || !isWhole) return false
  if (!failed.wasReused) return safe.has(method) && !hasBody && failed.handedOver
  return !failed.handedOver || isRepeatable(request)
}
