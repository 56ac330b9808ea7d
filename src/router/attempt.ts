// One try to have one request answered over one connection. It tells exactly how far the try came, in bytes that left and
// bytes that arrived; what follows from that is decided by others: a retry in retry.ts, a 502 or a broken connection in outcome.ts.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Connection, Wire } from './pools.ts'
import { type RawHeaders, valuesOf } from './rawHeaders.ts'
import { ProtocolFault, type Reply } from './reply.ts'

/** A request as it goes to an instance. */
export interface Outgoing {
  readonly method: string
  readonly path: string
  readonly headers: string[]
  readonly hasBody: boolean
  /** The protocols asked for with Upgrade. */
  readonly upgrade: string | undefined
}

/** How a try ended. */
export type Tried = { readonly kind: 'answered' } | Upgraded | Failed

/** The instance answered 101: the socket speaks another protocol from here on. */
export interface Upgraded {
  readonly kind: 'upgraded'
  readonly socket: Socket
  /** The head of the 101. */
  readonly raw: RawHeaders
}

export interface Failed {
  readonly kind: 'failed'
  readonly error: Error
  /** Whether there was a connection to send the request on. */
  readonly connected: boolean
  /** Whether at least one byte of the request was given to the instance. */
  readonly handedOver: boolean
  /** Whether at least one byte of a response came back. */
  readonly heard: boolean
  /** Whether the final head has gone to the client. */
  readonly begun: boolean
  /** Whether the connection had served a request before. */
  readonly wasReused: boolean
}

/** Whom the answer goes to. */
export interface Recipient {
  readonly res: ServerResponse
  readonly reply: Pick<Reply, 'inform' | 'write' | 'end'> & {
    begin(status: number, phrase: string, raw: RawHeaders): void
  }
}

interface Progress {
  wire: Wire | undefined
  readonly before: { out: number; in: number }
  begun: boolean
  endsWithConnection: boolean
}

/** Resolves when the last byte of the answer was given to the client's response, or with what went wrong; never rejects. */
export const attempt = (
  connection: Connection,
  outgoing: Outgoing,
  body: Readable | null,
  { res, reply }: Recipient,
): Promise<Tried> =>
  new Promise((resolve) => {
    const progress: Progress = { wire: undefined, before: { out: 0, in: 0 }, begun: false, endsWithConnection: false }
    let onDrain = (): void => {}
    const settle = (tried: Tried): void => {
      res.off('drain', onDrain)
      resolve(tried)
    }
    let isFinished = false
    const finish = (last: RawHeaders): void => {
      if (isFinished) return
      isFinished = true
      if (progress.wire) progress.wire.served++
      reply.end(last)
      settle({ kind: 'answered' })
    }
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (controller) => {
        start(progress, connection)
        onDrain = () => controller.resume()
        res.on('drain', onDrain)
      },
      onResponseStart: (controller, status, _headers, phrase) => {
        const raw = rawOf(controller.rawHeaders)
        begin(progress, reply, status, phrase ?? '', raw)
        // undici waits for the body that a 304 tells the length of but does not have (RFC 9110 section 15.4.5).
        if (status === 304) finish([])
      },
      onResponseData: (controller, chunk) => {
        if (!reply.write(chunk)) controller.pause()
      },
      onResponseEnd: (controller) => {
        if (isCutOff(progress)) settle(failed(progress, new Error('the connection was reset in the middle of a body')))
        else finish(rawOf(controller.rawTrailers))
      },
      onResponseError: (_controller, error) => settle(failed(progress, error)),
      onRequestUpgrade: (controller) => {
        if (!progress.wire) return settle(failed(progress, new Error('upgraded without a connection')))
        progress.wire.reading.stop()
        settle({ kind: 'upgraded', socket: progress.wire.socket, raw: rawOf(controller.rawHeaders) })
      },
    }
    const { method, path, headers, upgrade } = outgoing
    connection.client.dispatch({ method, path, headers, body, upgrade: upgrade ?? null }, handler)
  })

const start = (progress: Progress, connection: Connection): void => {
  const wire = connection.wire()
  progress.wire = wire
  progress.before.out = wire?.socket.bytesWritten ?? 0
  progress.before.in = wire?.socket.bytesRead ?? 0
}

const begin = (
  progress: Progress,
  reply: Recipient['reply'],
  status: number,
  phrase: string,
  raw: RawHeaders,
): void => {
  if (status === 101) throw new ProtocolFault('the instance switched to a protocol nobody asked for')
  if (status < 200) {
    reply.inform(status, raw)
    return
  }
  const isFramed = valuesOf(raw, 'transfer-encoding').length > 0 || valuesOf(raw, 'content-length').length > 0
  progress.endsWithConnection = !isFramed
  reply.begin(status, phrase, raw)
  progress.begun = true
}

/** A body that ends with the connection is whole only when the connection was closed in order (RFC 9112 section 8). */
const isCutOff = ({ endsWithConnection, wire }: Progress): boolean =>
  endsWithConnection && wire !== undefined && (wire.wasReset || wire.reading.hasFailed())

const failed = ({ wire, before, begun }: Progress, error: Error): Failed => ({
  kind: 'failed',
  error,
  connected: wire !== undefined,
  handedOver: wire !== undefined && wire.socket.bytesWritten > before.out,
  heard: wire !== undefined && wire.socket.bytesRead > before.in,
  begun,
  wasReused: wire !== undefined && wire.served > 0,
})

/** undici gives bytes; header bytes are latin1 (RFC 9110 section 5.5). */
const rawOf = (raw: Dispatcher.DispatchController['rawHeaders']): string[] =>
  Array.isArray(raw) ? raw.map((text) => (typeof text === 'string' ? text : text.toString('latin1'))) : []
