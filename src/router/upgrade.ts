// Takes connections whose client wants to go on in another protocol: Node hands over the bare socket, so there is a
// response to be made for it, and the client's leaving to be noticed.
import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Service } from './exchange.ts'
import { handle } from './handle.ts'
import { protocolsOf, withoutUpgrade } from './protocols.ts'
import { watchEarly } from './tunnel.ts'
import type { Turns } from './turns.ts'

/**
 * Node 24.9 and later ask before they let go of a connection. Earlier ones ignore this and let go of every one that asks to
 * upgrade; what is to be served as an ordinary request is then given back to the server below, which later Nodes make
 * impossible by reading the body themselves.
 */
export const upgradeChoice = {
  shouldUpgradeCallback: (req: IncomingMessage): boolean => protocolsOf(req) !== undefined,
}

export const serveUpgrades = (server: Server, service: Service, turns: Turns): void => {
  const take = (req: IncomingMessage, head: Buffer, protocols: string): void => {
    const arrivedAtMs = service.now()
    const waiting = watchEarly(req.socket, head, service.guards.memory)
    turns.take(req, () =>
      handle(service, {
        req,
        res: responseOn(req),
        arrivedAtMs,
        expects: 'nothing',
        upgrade: { protocols, waiting },
      }),
    )
  }
  server.on('upgrade', (req, _socket, head) => {
    // Node has let go of it, and of its listeners.
    req.socket.on('error', () => {})
    const protocols = protocolsOf(req)
    if (protocols !== undefined) return take(req, head, protocols)
    turns.take(req, async () => {
      req.socket.unshift(Buffer.concat([withoutUpgrade(req), head]))
      server.emit('connection', req.socket)
    })
  })
  server.on('connect', (req, _socket, head) => {
    req.socket.on('error', () => {})
    take(req, head, '')
  })
}

/** A response on a socket that Node's server has given away. The connection ends with it. */
const responseOn = (req: IncomingMessage): ServerResponse => {
  const res = new ServerResponse(req)
  res.shouldKeepAlive = false
  res.assignSocket(req.socket)
  req.socket.on('drain', () => res.emit('drain'))
  res.on('finish', () => req.socket.destroySoon())
  return res
}
