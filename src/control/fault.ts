// What is wrong with a request itself, before any operation is asked: the HTTP half of the control API's errors.
// Errors of operations are TenementErrors and know nothing of HTTP; problem.ts gives both their status.

/** Every fault of a request, with its HTTP status. */
export const faults = {
  bad_request: 400,
  forbidden: 403,
  unknown_route: 404,
  wrong_method: 405,
  body_too_large: 413,
  not_json: 415,
} as const

export type FaultCode = keyof typeof faults

/** A request that is refused as it stands. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: FaultCode
  readonly headers: Readonly<Record<string, string>>

  constructor(code: FaultCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.code = code
    this.headers = headers
  }
}
