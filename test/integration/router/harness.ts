// A router with a real socket in front, real instances behind, and a wake that a test controls.

import { once } from 'node:events'
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createGuards, type Guards } from '../../../src/router/guards.ts'
import { buildHostTable, match } from '../../../src/router/host.ts'
import type { LogFields } from '../../../src/router/log.ts'
import { createStreams } from '../../../src/router/page/streams.ts'
import { type Patience, usualPatience } from '../../../src/router/patience.ts'
import { type Knowledge, noKnowledge, type Rules } from '../../../src/router/rules.ts'
import { createRouter, type Router } from '../../../src/router/server.ts'
import type { Endpoint, Lease, Onlookers, Wake, WakeContext, WakeState } from '../../../src/router/wake.ts'

export interface Line extends LogFields {
  readonly level: string
  readonly message: string
}

export interface Harness {
  readonly router: Router
  readonly port: number
  readonly lines: Line[]
  /** Leases given and not yet released. */
  leases(): number
  /** Times a lease was released, over all leases. */
  releases(): number
  readonly wakes: WakeContext[]
  /** Of whom it was said that they are wanted though the request waits no longer. */
  readonly wishes: string[]
  /** Heads of answers that leases were told of. */
  answers(): number
}

export interface HarnessOptions {
  readonly wake?: (context: WakeContext, instance: string) => Promise<Endpoint>
  readonly trustedProxies?: readonly string[]
  readonly waited?: Lease['waited']
  readonly exposeTiming?: boolean
  readonly match?: (host: string) => string | undefined
  readonly pageAfterMs?: number
  /** How far the wake is, as a page is told. */
  readonly look?: (instance: string) => WakeState
  readonly bounds?: Parameters<typeof createStreams>[1]
  /** What the service of every instance asks for. */
  readonly rules?: Partial<Rules>
  readonly isAsleep?: Knowledge['isAsleep']
  readonly isReady?: Knowledge['isReady']
  readonly guards?: Guards
  readonly patience?: Partial<Patience>
  readonly random?: () => number
}

type Cleanup = () => Promise<unknown> | unknown
const cleanups: Cleanup[] = []

/** Runs at the end of the test, first registered first: instances go before the router that waits for their tunnels. */
export const afterwards = (cleanup: Cleanup): void => void cleanups.push(cleanup)

export const cleanUp = async (): Promise<void> => {
  while (cleanups.length > 0) await cleanups.shift()?.()
}

export const hostOf = 'alice.notes.example.com'

const table = buildHostTable({
  domains: ['example.com'],
  hosts: {},
  isKnown: (service, id) => service === 'notes' && (id === 'alice' || id === 'bob'),
})

/** A router in front of `endpoint`, or of what `wake` resolves with. */
export const startRouter = async (endpoint: Endpoint | undefined, options: HarnessOptions = {}): Promise<Harness> => {
  const lines: Line[] = []
  const wakes: WakeContext[] = []
  let given = 0
  let ended = 0
  let releases = 0
  let answers = 0
  const wake: Wake = async (instance, context): Promise<Lease> => {
    wakes.push(context)
    const woken = options.wake ? await options.wake(context, instance) : endpoint
    if (!woken) throw new Error('no endpoint in this test')
    given++
    let isReleased = false
    return {
      endpoint: woken,
      waited: options.waited ?? { queueMs: 0, wakeMs: 0 },
      answered: () => void answers++,
      release: () => {
        releases++
        if (!isReleased) ended++
        isReleased = true
      },
    }
  }
  const line = (level: string) => (fields: LogFields, message: string) => void lines.push({ ...fields, level, message })
  const log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  const wishes: string[] = []
  const onlookers: Onlookers = {
    look: options.look ?? (() => ({ state: 'done' })),
    wish: (instance) => void wishes.push(instance),
  }
  const router = createRouter({
    match: options.match ?? ((host) => match(table, host)),
    wake,
    onlookers,
    streams: createStreams(onlookers.look, options.bounds),
    pageAfterMs: options.pageAfterMs,
    log,
    trustedProxies: options.trustedProxies ?? [],
    knowledge: {
      rulesOf: (instance) => ({ ...noKnowledge.rulesOf(instance), ...options.rules }),
      isAsleep: options.isAsleep ?? (() => false),
      isReady: options.isReady ?? (() => false),
    },
    guards: options.guards ?? createGuards({ wakesPerClient: 60 }),
    patience: { ...usualPatience, ...options.patience },
    exposeTiming: options.exposeTiming ?? false,
    random: options.random ?? (() => 0.5),
  })
  router.server.listen(0, '127.0.0.1')
  await once(router.server, 'listening')
  afterwards(async () => {
    router.server.closeAllConnections()
    await router.close()
  })
  return {
    router,
    port: portOf(router.server),
    lines,
    wakes,
    wishes,
    leases: () => given - ended,
    releases: () => releases,
    answers: () => answers,
  }
}

const portOf = (server: Server): number => {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen on a port')
  return address.port
}

/** Resolves once it is true; fails after five seconds. */
export const until = async (isTrue: () => boolean, what: string): Promise<void> => {
  const deadline = Date.now() + 5_000
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`still waiting until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

export interface TestEndpoint extends Endpoint {
  readonly connections: Socket[]
  leave(): void
}

export const endpointAt = (port: number, responseTimeoutMs = 10_000): TestEndpoint => {
  const gone = new AbortController()
  const connections: Socket[] = []
  return {
    connections,
    gone: gone.signal,
    responseTimeoutMs,
    leave: () => gone.abort(),
    connect: async () => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      await once(socket, 'connect')
      connections.push(socket)
      return socket
    },
  }
}

export interface RawInstance {
  readonly port: number
  /** Everything each connection sent, in latin1. */
  readonly heard: string[]
  readonly sockets: Socket[]
}

/** An instance that hands each connection to the test. `onData` gets all bytes of the connection so far. */
export const rawInstance = async (
  onData: (socket: Socket, sofar: string, connection: number) => void,
): Promise<RawInstance> => {
  const heard: string[] = []
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = sockets.push(socket) - 1
    heard[connection] = ''
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      heard[connection] += chunk.toString('latin1')
      onData(socket, heard[connection] ?? '', connection)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterwards(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: portOf(server), heard, sockets }
}

/** Answers each connection with these bytes once it has sent a whole head. */
export const answering = (answer: string, close = false): Promise<RawInstance> =>
  rawInstance((socket, sofar) => {
    if (!sofar.endsWith('\r\n\r\n')) return
    socket.write(Buffer.from(answer, 'latin1'))
    if (close) socket.end()
  })

export const httpInstance = async (listener: RequestListener): Promise<{ port: number; server: HttpServer }> => {
  const server = createHttpServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterwards(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: portOf(server), server }
}

/** A client that speaks in bytes. */
export interface RawClient {
  readonly socket: Socket
  /** Everything received so far, in latin1. */
  text(): string
  write(text: string): void
  /** Resolves when what was received contains this. */
  receives(text: string | RegExp): Promise<void>
  /** Resolves when the connection is closed, with how: 'end' in order, otherwise the error's code. */
  readonly closed: Promise<string>
}

export const rawClient = async (port: number): Promise<RawClient> => {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  afterwards(() => socket.destroy())
  let text = ''
  let how = 'destroyed'
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.on('end', () => {
    how = 'end'
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    how = error.code ?? 'error'
  })
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(how)))
  const holds = (wanted: string | RegExp): boolean =>
    typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)
  return {
    socket,
    closed,
    text: () => text,
    write: (bytes) => void socket.write(Buffer.from(bytes, 'latin1')),
    receives: (wanted) =>
      until(() => holds(wanted), `the client has received ${wanted}; it has ${JSON.stringify(text.slice(0, 600))}`),
  }
}

/** Sends these bytes and gives everything that came back until the connection was closed. */
export const ask = async (port: number, bytes: string): Promise<string> => {
  const client = await rawClient(port)
  client.write(bytes)
  await client.closed
  return client.text()
}

/** A request for the instance everything here is about. */
export const get = (path = '/', more = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${hostOf}\r\nConnection: close\r\n${more}\r\n`

/** Something a test lets happen. */
export const signal = (): { readonly given: Promise<void>; give(): void } => {
  let give = (): void => {}
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give }
}
