// Keeps connections to instances: for every start of an instance the idle ones, so the next request need not connect.
// undici's Client speaks HTTP on each. Its Pool would hide which connection a request went out on, and whether that one
// was fresh or how many bytes it took is exactly what decides between a retry, a 502 and a 503.
import type { Socket } from 'node:net'
import { Client } from 'undici'
import { messageOf } from '../errors.ts'
import { type KeptReading, keepReading } from './keepReading.ts'
import { createRetryBudget, type RetryBudget } from './retryBudget.ts'
import type { Endpoint } from './wake.ts'

/** The instance did not accept a connection, so no byte was handed over on it. */
export class ConnectFailure extends Error {
  override readonly name = 'ConnectFailure'
}

/** The cause, where a connection was neither accepted nor refused in time. */
export class ConnectTimeout extends Error {
  override readonly name = 'ConnectTimeout'
}

/** A connection while it exists: undici may close it and open another on the same Client. */
export interface Wire {
  readonly socket: Socket
  readonly reading: KeptReading
  /** Requests it has served to the end. */
  served: number
  /** Whether it was reset rather than closed. */
  wasReset: boolean
}

/** One request at a time goes over it. */
export interface Connection {
  readonly client: Client
  /** Undefined until it is connected. */
  wire(): Wire | undefined
  /** Ends it at once; the request on it fails with this error. */
  destroy(error: Error): void
}

export interface Pool {
  readonly retries: RetryBudget
  /** An idle connection, or one that will be opened. */
  take(): Connection
  fresh(): Connection
  /** Keeps it for the next request if it can serve one, else closes it. */
  giveBack(connection: Connection): void
}

/** Longer than one lost SYN (1 s), shorter than two: a full backlog is told as 503 while trying again is still safe. */
const connectTimeoutMs = 2_500

/** Below the 2 s after which gunicorn closes an idle connection: the sooner side decides, and it should be this one. */
const idleMs = 1_000

/** Of a response head; instances may set many cookies. */
const maxHeadBytes = 65_536

/** One pool for each Endpoint object, made on first use and emptied when the endpoint is gone. */
export const createPools = (): ((endpoint: Endpoint) => Pool) => {
  const pools = new WeakMap<Endpoint, Pool>()
  return (endpoint) => {
    const pool = pools.get(endpoint) ?? createPool(endpoint)
    pools.set(endpoint, pool)
    return pool
  }
}

const createPool = (endpoint: Endpoint): Pool => {
  // The one used last is taken first: it is the least likely to be closed in this moment.
  const idle: Connection[] = []
  const end = (connection: Connection): void => void connection.client.destroy()
  endpoint.gone.addEventListener('abort', () => idle.splice(0).forEach(end), { once: true })
  const fresh = (): Connection => {
    const connection = openConnection(endpoint)
    // A busy one is left to the request on it: undici may be opening its next socket.
    connection.client.on('disconnect', () => {
      const at = idle.indexOf(connection)
      if (at !== -1) idle.splice(at, 1).forEach(end)
    })
    return connection
  }
  return {
    retries: createRetryBudget(),
    fresh,
    take: () => {
      for (let last = idle.pop(); last; last = idle.pop()) {
        if (isUsable(last)) return last
        end(last)
      }
      return fresh()
    },
    giveBack: (connection) => {
      if (endpoint.gone.aborted || !isUsable(connection)) end(connection)
      else idle.push(connection)
    },
  }
}

const isUsable = (connection: Connection): boolean =>
  !connection.client.destroyed && connection.wire()?.socket.destroyed === false

const openConnection = (endpoint: Endpoint): Connection => {
  let wire: Wire | undefined
  const client = new Client('http://instance', {
    connect: (_options, done) => {
      connectWire(endpoint).then(
        (opened) => {
          wire = opened
          done(null, opened.socket)
        },
        (error: unknown) => done(new ConnectFailure(messageOf(error), { cause: error }), null),
      )
    },
    pipelining: 1,
    // Times are kept by whoever waits, to the millisecond; a quiet stream is not an error.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: idleMs,
    maxHeaderSize: maxHeadBytes,
  })
  return {
    client,
    wire: () => wire,
    destroy: (error) => void client.destroy(error),
  }
}

const connectWire = async (endpoint: Endpoint): Promise<Wire> => {
  const socket = await withinTime(endpoint.connect())
  if (socket.destroyed) throw new Error('the connection was closed as soon as it was open')
  const wire: Wire = { socket, reading: keepReading(socket), served: 0, wasReset: false }
  // Before undici's own listener: it takes a reset for the end of a body that has no length.
  socket.on('error', () => {
    wire.wasReset = true
  })
  return wire
}

/** A connection that comes too late is closed. */
const withinTime = (connecting: Promise<Socket>): Promise<Socket> =>
  new Promise((resolve, reject) => {
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      reject(new ConnectTimeout(`the instance did not accept a connection within ${connectTimeoutMs} ms`))
    }, connectTimeoutMs)
    const onConnect = (socket: Socket): void => {
      if (isLate) socket.on('error', () => {}).destroy()
      else resolve(socket)
    }
    connecting.then(onConnect, reject).finally(() => clearTimeout(timer))
  })
