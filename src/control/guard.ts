// Who may ask at all: a program on this machine that opened the control socket itself. Nothing a browser sends gets
// further, whatever proxy carried it here: pages a tenant serves must not be able to stop other tenants.
import type { IncomingMessage } from 'node:http'
import { Fault } from './fault.ts'

/** Headers browsers add and cannot be kept from adding. */
const browserHeaders = ['origin', 'sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest'] as const

/** Throws a Fault when the request comes from a browser or was meant for another host. */
export const refuseForeign = (request: IncomingMessage): void => {
  const browser = browserHeaders.find((header) => request.headers[header] !== undefined)
  if (browser !== undefined) throw new Fault('forbidden', `a request with the header "${browser}" is not answered here`)
  // Node keeps the first of two Host headers; only the distinct ones show the second.
  const hosts = request.headersDistinct.host ?? []
  if (hosts.length !== 1 || hosts[0] !== 'localhost')
    throw new Fault('forbidden', 'the header "host" must be "localhost" on the control socket')
}
