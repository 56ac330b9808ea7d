// The way in: an HTTP server that finds the instance a host asks for, has it woken, and passes bytes both ways.
// It does not listen by itself: the sockets belong to the launcher. Node's parser is left as strict as it is, and what it
// lets through by mistake is caught in head.ts; one request at a time per connection is kept by turns.ts.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { clientOf } from './clientOf.ts'
import { CompactRequest } from './compactRequest.ts'
import type { Exchange, Service } from './exchange.ts'
import { buildTrust } from './forwarded.ts'
import { createGuards, type Guards } from './guards.ts'
import { handle } from './handle.ts'
import type { Log } from './log.ts'
import type { Streams } from './page/streams.ts'
import { type Patience, usualPatience } from './patience.ts'
import { createPeers } from './peer.ts'
import { createPools } from './pools.ts'
import type { Report } from './report.ts'
import { type Knowledge, noKnowledge } from './rules.ts'
import { createTurns, type Turns } from './turns.ts'
import { serveUnreadable } from './unreadable.ts'
import { serveUpgrades, upgradeChoice } from './upgrade.ts'
import type { Onlookers, Wake } from './wake.ts'

export interface RouterOptions {
  /** The instance a Host header asks for, undefined for none that is known, 'bad' for no host. */
  readonly match: (rawHost: string) => string | undefined
  readonly wake: Wake
  readonly onlookers: Onlookers
  /** Shared by all routers, as their bounds are. */
  readonly streams: Streams
  /** Milliseconds after which a browser is shown a page while it waits; undefined for never. */
  readonly pageAfterMs: number | undefined
  readonly log: Log
  /** Addresses and CIDR ranges whose X-Forwarded-* and X-Request-Id are believed. */
  readonly trustedProxies: readonly string[]
  /** What is known of instances before they are awake. */
  readonly knowledge?: Knowledge
  /** Shared by all routers of one server. */
  readonly guards?: Guards
  readonly patience?: Patience
  /** Whether answers of instances tell in Server-Timing what tenement did with the request. */
  readonly exposeTiming?: boolean
  readonly report?: Report
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** From 0 to 1. */
  readonly random?: () => number
}

export interface Router {
  /** Not listening yet. */
  readonly server: Server
  /** Accepts nothing more, lets requests and tunnels finish, ends idle connections; resolves when all are closed. */
  close(): Promise<void>
}

const settings = {
  // Long uploads are legitimate; upload.ts ends those that hardly move.
  requestTimeout: 0,
  headersTimeout: 15_000,
  connectionsCheckingInterval: 5_000,
  // Longer than the 60 s of common load balancers, so that they close first.
  keepAliveTimeout: 75_000,
  // Held requests keep their heads in memory, so no more than nginx takes in all.
  maxHeaderSize: 32_768,
  insecureHTTPParser: false,
  // Its own answer would lack tenement's headers; head.ts checks.
  requireHostHeader: false,
  noDelay: true,
  // A client that has vanished without a word gives its lease back.
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
}

/** Throws a TenementError when `trustedProxies` names something that is no address. */
export const createRouter = ({
  match,
  wake,
  onlookers,
  streams,
  pageAfterMs,
  log,
  trustedProxies,
  knowledge = noKnowledge,
  guards = createGuards({ wakesPerClient: Number.POSITIVE_INFINITY }),
  patience = usualPatience,
  exposeTiming = false,
  report = () => undefined,
  now = Date.now,
  random = Math.random,
}: RouterOptions): Router => {
  const turns = createTurns()
  const server = createServer({ ...settings, ...upgradeChoice, IncomingMessage: CompactRequest })
  // By default Node drops what comes after the 2000th header, unseen; the size of the head is limit enough.
  server.maxHeadersCount = 0
  let isClosing = false
  const isTrusted = buildTrust(trustedProxies)
  const peerOf = createPeers(isTrusted)
  const service: Service = {
    match,
    wake,
    onlookers,
    streams,
    pageAfterMs,
    knowledge,
    guards,
    patience,
    log,
    report,
    exposesTiming: exposeTiming,
    poolOf: createPools(),
    clientOf: ({ rawHeaders, socket }) => clientOf(rawHeaders, peerOf(socket).address, isTrusted),
    peerOf,
    now,
    random,
    isClosing: () => isClosing,
  }
  const quiet = watchQuiet(server)
  serveRequests(server, service, turns)
  serveUpgrades(server, service, turns)
  serveUnreadable(server, service, turns)
  return {
    server,
    close: () => {
      isClosing = true
      streams.close()
      for (const socket of quiet) socket.destroy()
      return closeServer(server)
    },
  }
}

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    // Its only error says that it was not listening: then there is nothing to wait for.
    server.close(() => resolve())
  })

/** Connections that have not sent a request yet, which Node does not count as idle. */
const watchQuiet = (server: Server): ReadonlySet<Socket> => {
  const quiet = new Set<Socket>()
  server.on('connection', (socket) => {
    quiet.add(socket)
    socket.once('close', () => quiet.delete(socket))
  })
  const onHeard = (req: IncomingMessage): void => void quiet.delete(req.socket)
  for (const event of ['request', 'checkContinue', 'checkExpectation', 'upgrade', 'connect']) server.on(event, onHeard)
  return quiet
}

const serveRequests = (server: Server, service: Service, turns: Turns): void => {
  const take =
    (expects: Exchange['expects']) =>
    (req: IncomingMessage, res: ServerResponse): void => {
      const exchange = { req, res, arrivedAtMs: service.now(), expects, upgrade: undefined }
      turns.take(req, async () => {
        await handle(service, exchange)
        if (service.isClosing()) server.closeIdleConnections()
      })
    }
  server.on('request', take('nothing'))
  server.on('checkContinue', take('continue'))
  server.on('checkExpectation', take('unknown'))
}
