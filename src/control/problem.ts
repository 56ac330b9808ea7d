// Errors on the wire and back: a TenementError crosses the control socket as problem+json and arrives as the same error.
// What is neither a TenementError nor a fault of the request is answered without its message, which is in the server's log.
import { STATUS_CODES } from 'node:http'
import { type ErrorCode, errorCodes, messageOf, TenementError } from '../errors.ts'
import { Fault, faults } from './fault.ts'
import { type Problem, problem } from './wire.ts'

/** The HTTP status of each error an operation can end with. */
const statuses: Readonly<Record<ErrorCode, number>> = {
  invalid_config: 400,
  unreadable_config: 400,
  invalid_profile: 400,
  missing_capability: 409,
  unknown_service: 404,
  unknown_instance: 404,
  already_exists: 409,
  invalid_name: 400,
  not_running: 503,
  already_running: 409,
  start_failed: 502,
  launcher_refused: 500,
  state_unusable: 500,
  busy: 409,
  timed_out: 504,
  declared: 409,
  unusable_plugin: 409,
  unsupported_machine: 409,
  unexplained_call: 409,
  too_exposed: 409,
  unwritable_config: 409,
  unwritable_report: 500,
  exposed_secret: 409,
  internal: 500,
}

const describe = (status: number, code: string, detail: string, fix: string | undefined): Problem => ({
  title: STATUS_CODES[status] ?? 'Error',
  status,
  detail,
  code,
  fix: fix ?? null,
})

/** How whatever a request ended with is answered. */
export const problemFor = (thrown: unknown): Problem => {
  if (thrown instanceof TenementError) return describe(statuses[thrown.code], thrown.code, thrown.message, thrown.fix)
  if (thrown instanceof Fault) return describe(faults[thrown.code], thrown.code, thrown.message, undefined)
  return describe(500, 'internal', 'a fault in tenement itself', "look into the server's log for this moment")
}

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCodes, code)

/** The error an answer carries; an 'internal' one when the answer is no problem of ours. */
export const errorFrom = (status: number, body: Buffer): TenementError => {
  try {
    const { code, detail, fix } = problem(JSON.parse(body.toString()), 'the answer')
    // A fault of the request is this client's mistake, and no error of tenement's table.
    return new TenementError(isErrorCode(code) ? code : 'internal', detail, fix === null ? {} : { fix })
  } catch (cause) {
    return new TenementError('internal', `the control socket answered with status ${status}: ${messageOf(cause)}`, {
      fix: 'make sure that "tenement serve" and this command are of one version',
      cause,
    })
  }
}
