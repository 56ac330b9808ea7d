// GET /metrics on a loopback address, for a Prometheus on this machine. Not listening yet when it is returned.
// Whoever can connect to the address may read it, instances on the machine's network too: it says numbers and names of
// services, and no more. So that nobody can keep the server busy with it, the text is made at most once a second.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { metricsType } from './metrics.ts'

export interface MetricsServerOptions {
  /** The host it listens on, as the config has it; the port is the socket's own. */
  readonly host: string
  /** Makes the text. */
  readonly text: () => Promise<string>
  readonly onError: (error: unknown) => void
}

const maxConnections = 16
const timeoutMs = 5_000
const freshMs = 1_000

/** The hosts a request may name: a page that has its own name resolve to this address is told apart by them (DNS rebinding). */
const hostsOf = (host: string, port: number): ReadonlySet<string> => {
  const written = host.includes(':') ? `[${host}]` : host
  return new Set(['localhost', '127.0.0.1', '[::1]', written].map((name) => `${name}:${port}`))
}

interface Refusal {
  readonly status: 403 | 404 | 405
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

const refusalOf = (request: IncomingMessage, host: string): Refusal | undefined => {
  const port = request.socket.localPort ?? 0
  // Node keeps the first of two Host headers; only the distinct ones show the second.
  const [named = '', ...more] = request.headersDistinct.host ?? []
  if (more.length > 0 || !hostsOf(host, port).has(named.toLowerCase()))
    return { status: 403, text: `the host must be this address, such as "localhost:${port}"` }
  if (request.url?.split('?')[0] !== '/metrics') return { status: 404, text: 'there is nothing here but /metrics' }
  // HEAD too, which every server has to answer (RFC 9110 section 9.1); Node leaves out its body.
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, text: 'only GET and HEAD are answered', headers: { allow: 'GET, HEAD' } }
  return undefined
}

const send = (response: ServerResponse, status: number, type: string, text: string): void => {
  const body = Buffer.from(text)
  response.writeHead(status, {
    'content-type': type,
    'content-length': body.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // Each scrape a connection of its own: the few there may be are not kept by those who only hold them.
    connection: 'close',
  })
  response.end(body)
}

/** The text, made anew when it is older than a second; whoever comes while it is made waits for that one. */
const freshText = (text: () => Promise<string>): (() => Promise<string>) => {
  let made: Promise<string> | undefined
  let madeAtMs = 0
  return () => {
    const nowMs = performance.now()
    if (made === undefined || nowMs - madeAtMs >= freshMs) {
      madeAtMs = nowMs
      made = text()
    }
    return made
  }
}

export const createMetricsServer = ({ host, text, onError }: MetricsServerOptions): Server => {
  const fresh = freshText(text)
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refusal = refusalOf(request, host)
    if (refusal !== undefined) {
      for (const [name, value] of Object.entries(refusal.headers ?? {})) response.setHeader(name, value)
      return send(response, refusal.status, 'text/plain; charset=utf-8', `${refusal.text}\n`)
    }
    try {
      send(response, 200, metricsType, await fresh())
    } catch (error) {
      onError(error)
      send(response, 500, 'text/plain; charset=utf-8', 'the metrics cannot be made\n')
    }
  }
  const server = createServer(
    {
      requestTimeout: timeoutMs,
      headersTimeout: timeoutMs,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 1_000,
      maxHeaderSize: 4_096,
    },
    (request, response) => void respond(request, response),
  )
  server.maxConnections = maxConnections
  // A reader that does not read is cut; the text is at most some megabytes in the kernel's buffers and here.
  server.setTimeout(timeoutMs)
  return server
}
