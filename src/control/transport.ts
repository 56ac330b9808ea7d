// One request over the control socket and the bytes of its answer. Knows HTTP and the ways a socket can fail, which all
// come to the same for whoever asks: no server answers, and this is what to do about it.
import { type IncomingMessage, request } from 'node:http'
import { messageOf, TenementError } from '../errors.ts'

/** Ten thousand instances are about seven megabytes. */
const maxAnswerBytes = 256 * 1024 ** 2

const reasons: Readonly<Record<string, { readonly what: string; readonly fix: string }>> = {
  ENOENT: { what: 'is not there', fix: 'start "tenement serve", or name its config file with --config' },
  ECONNREFUSED: { what: 'is there, but nothing listens on it', fix: 'start "tenement serve" again' },
  EACCES: {
    what: 'may not be opened by you',
    fix: 'run this command as root or as the user tenement runs as, or join the group "tenement"',
  },
  ECONNRESET: {
    what: 'was closed before the answer was complete',
    fix: 'see whether "tenement serve" still runs, and what its log says',
  },
  EPERM: { what: 'may not be opened by you', fix: 'run this command as the user tenement runs as' },
}

/** The error for a server that does not answer, whatever the reason is. */
export const notRunning = (socketPath: string, cause: unknown): TenementError => {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const reason = reasons[code] ?? { what: messageOf(cause), fix: 'see whether "tenement serve" still runs' }
  return new TenementError('not_running', `no tenement server answers: the socket "${socketPath}" ${reason.what}`, {
    fix: reason.fix,
    cause,
  })
}

export interface Ask {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  /** Milliseconds of silence after which nothing more is expected; without it the answer may take any time. */
  readonly timeoutMs?: number
}

/** Sends one request on a connection of its own; resolves with the head of the answer, rejects with 'not_running'. */
export const ask = (socketPath: string, { method, path, body, timeoutMs }: Ask): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const content = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      host: 'localhost',
      ...(content === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
    }
    const sent = request({ socketPath, method, path, headers, agent: false }, resolve)
    sent.on('error', (error) => reject(notRunning(socketPath, error)))
    if (timeoutMs !== undefined)
      sent.setTimeout(timeoutMs, () => sent.destroy(new Error(`has been silent for ${timeoutMs / 1000} seconds`)))
    sent.end(content)
  })

/** The body of an answer, which is bounded; rejects when the connection breaks off. */
export const readBytes = async (answer: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer) {
    bytes += chunk.length
    if (bytes > maxAnswerBytes) throw new Error('gave an answer without end')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
