// What a request is served with, and the request itself: the two values every step of its story takes.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Guards } from './guards.ts'
import type { Log } from './log.ts'
import type { Streams } from './page/streams.ts'
import type { Patience } from './patience.ts'
import type { Peer } from './peer.ts'
import type { Pool } from './pools.ts'
import type { Report } from './report.ts'
import type { Knowledge } from './rules.ts'
import type { Waiting } from './tunnel.ts'
import type { Endpoint, Onlookers, Wake } from './wake.ts'

export interface Service {
  /** The instance a Host header asks for, undefined for none, 'bad' for no host. */
  readonly match: (rawHost: string) => string | undefined
  readonly wake: Wake
  readonly onlookers: Onlookers
  readonly streams: Streams
  /** Milliseconds after which a browser is shown a page while it waits; undefined for never. */
  readonly pageAfterMs: number | undefined
  readonly knowledge: Knowledge
  readonly guards: Guards
  readonly patience: Patience
  readonly log: Log
  readonly report: Report
  /** Whether answers of instances tell what tenement did with the request. */
  readonly exposesTiming: boolean
  readonly poolOf: (endpoint: Endpoint) => Pool
  /** Whom a request counts against; undefined for those who are not counted. */
  readonly clientOf: (req: IncomingMessage) => string | undefined
  readonly peerOf: (socket: Socket) => Peer
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** From 0 to 1. */
  readonly random: () => number
  /** Whether connections should end with the answers given now. */
  readonly isClosing: () => boolean
}

export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly arrivedAtMs: number
  /** What its Expect header asks for: to be told before it sends the body, or something tenement cannot meet. */
  readonly expects: 'nothing' | 'continue' | 'unknown'
  /** The client wants to go on in another protocol. */
  readonly upgrade: { readonly protocols: string; readonly waiting: Waiting } | undefined
}
