// The control API: HTTP and JSON on a unix socket that the launcher made. It decides who may ask and what a request means;
// what is then done is Operations' business. Not listening yet when it is returned: `listen({ fd })` is the caller's.
// A client that leaves ends a log stream and nothing else: an operation that was begun goes on to its end.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { readJson, refuseBody } from './body.ts'
import { toEventStream } from './eventStream.ts'
import { Fault } from './fault.ts'
import { refuseForeign } from './guard.ts'
import { matchRoute } from './match.ts'
import { problemFor } from './problem.ts'
import type { Answer, Backend } from './route.ts'
import type { LogLine } from './wire.ts'

/** Where the control server says what it did; a pino logger fits. */
interface ControlLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface ControlServerOptions extends Backend {
  readonly log: ControlLog
  /** Asked once for each connection: false when the process at the other end may not ask anything, such as a tenant's. */
  readonly allowPeer: (socket: Socket) => boolean
}

/** Connections at one time; a descriptor each, of the same process that serves tenants. */
const maxConnections = 256
const requestTimeoutMs = 10_000
const refusedTimeoutMs = 1_000

async function* toNdjson(lines: AsyncIterable<LogLine>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`
}

const sendJson = (response: ServerResponse, status: number, type: string, value: unknown): void =>
  sendText(response, status, type, `${JSON.stringify(value)}\n`)

const sendText = (response: ServerResponse, status: number, type: string, text: string): void => {
  const body = Buffer.from(text)
  response.writeHead(status, { 'content-type': type, 'content-length': body.length, 'cache-control': 'no-store' })
  response.end(body)
}

/** That the client left before it had everything, which is how following ends, or that it was cut off for reading too slowly. */
const isLeaving = (thrown: unknown): boolean =>
  thrown instanceof Error &&
  'code' in thrown &&
  (thrown.code === 'ERR_STREAM_PREMATURE_CLOSE' || thrown.code === 'ABORT_ERR')

const send = async (response: ServerResponse, answer: Answer): Promise<void> => {
  if ('json' in answer) return sendJson(response, answer.status, 'application/json', answer.json)
  if ('text' in answer) return sendText(response, answer.status, answer.type, answer.text)
  const [type, pieces, cut] =
    'followed' in answer
      ? ['text/event-stream', toEventStream(answer.followed.events), answer.followed.cut]
      : ['application/x-ndjson', toNdjson(answer.lines), undefined]
  response.writeHead(answer.status, { 'content-type': type, 'cache-control': 'no-store' })
  // The head is sent before the first piece: whoever follows a silent instance learns at once that it is being followed.
  response.flushHeaders()
  await pipeline(pieces, response, cut === undefined ? {} : { signal: cut }).catch((thrown: unknown) => {
    if (!isLeaving(thrown)) throw thrown
  })
}

const sendProblem = (request: IncomingMessage, response: ServerResponse, thrown: unknown): void => {
  // The rest of a body nobody wants is not waited for.
  if (!request.complete) response.setHeader('connection', 'close')
  if (thrown instanceof Fault)
    for (const [name, value] of Object.entries(thrown.headers)) response.setHeader(name, value)
  const problem = problemFor(thrown)
  sendJson(response, problem.status, 'application/problem+json', problem)
}

/** Aborts when the answer is over: it was sent to its end, or the client left. */
const goneSignal = (response: ServerResponse): AbortSignal => {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return gone.signal
}

const answer = async (request: IncomingMessage, response: ServerResponse, backend: Backend): Promise<void> => {
  refuseForeign(request)
  const { route, parameters, query } = matchRoute(request.method ?? '', request.url ?? '')
  if (!route.takesBody) refuseBody(request)
  const body = route.takesBody ? await readJson(request) : undefined
  const lastEventId = request.headersDistinct['last-event-id']?.[0]
  const call = { parameters, query, body, lastEventId, gone: goneSignal(response) }
  await send(response, await route.handle(call, backend))
}

/** Passes on how often it was called, at most once a minute: whoever is refused could fill the disk with our log otherwise. */
const rarely = (tell: (count: number, error: unknown) => void): ((error?: unknown) => void) => {
  let count = 0
  let toldAtMs = Number.NEGATIVE_INFINITY
  return (error) => {
    count += 1
    if (performance.now() - toldAtMs < 60_000) return
    tell(count, error)
    count = 0
    toldAtMs = performance.now()
  }
}

/** Makes the control server. It answers each request by itself and keeps nothing between them. */
export const createControlServer = ({ log, allowPeer, ...backend }: ControlServerOptions): Server => {
  const refused = new WeakSet<Socket>()
  const noteRefusal = rarely((count, err) => log.warn({ count, err }, 'refused connections to the control socket'))

  const refuse = (socket: Socket, error?: unknown): void => {
    refused.add(socket)
    noteRefusal(error)
    setTimeout(() => socket.destroy(), refusedTimeoutMs).unref()
  }

  const judge = (socket: Socket): void => {
    try {
      if (!allowPeer(socket)) refuse(socket)
    } catch (error) {
      // Who cannot be told is not let in.
      refuse(socket, error)
    }
  }

  const refusePeer = (socket: Socket): void => {
    if (refused.has(socket))
      throw new Fault('forbidden', 'processes of tenants are not answered here', { connection: 'close' })
  }

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const begun = performance.now()
    const asked = () => ({
      method: request.method,
      path: request.url?.split('?')[0],
      durationMs: Math.round(performance.now() - begun),
    })
    try {
      refusePeer(request.socket)
      await answer(request, response, backend)
      if (request.method !== 'GET') log.info(asked(), 'did what the control socket asked')
    } catch (error) {
      const { code } = problemFor(error)
      if (code === 'internal') log.error({ ...asked(), err: error }, 'failed at what the control socket asked')
      else if (request.method !== 'GET') log.info({ ...asked(), code }, 'refused what the control socket asked')
      if (response.headersSent) response.destroy()
      else sendProblem(request, response, error)
    }
  }

  const server = createServer(
    {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      maxHeaderSize: 8_192,
      keepAliveTimeout: 5_000,
    },
    (request, response) => void respond(request, response),
  )
  server.maxConnections = maxConnections
  return server.on('connection', judge)
}
