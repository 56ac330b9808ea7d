// Reads the body of a request to the control API: JSON, bounded, and only where the route takes one.
import type { IncomingMessage } from 'node:http'
import { Fault } from './fault.ts'

/** Most bytes a request body may have. */
const maxBodyBytes = 65_536

const hasBody = (request: IncomingMessage): boolean =>
  request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0

/** Throws a Fault when a request carries a body where none is expected. */
export const refuseBody = (request: IncomingMessage): void => {
  if (hasBody(request)) throw new Fault('bad_request', 'this request takes no body')
}

const readBounded = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length
    if (bytes > maxBodyBytes) throw new Fault('body_too_large', `a body has at most ${maxBodyBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Resolves with the parsed body; rejects with a Fault when it is too large or no JSON. */
export const readJson = async (request: IncomingMessage): Promise<unknown> => {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';')
  if (type.trim().toLowerCase() !== 'application/json')
    throw new Fault('not_json', 'the header "content-type" must be "application/json"')
  const body = await readBounded(request)
  try {
    return JSON.parse(body.toString())
  } catch {
    throw new Fault('bad_request', 'the body is not JSON')
  }
}
