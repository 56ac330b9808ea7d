// Answers requests for tenement's own paths: how far the wake of the host's instance is, as events or as JSON. It wakes nothing, holds
// nothing awake and keeps nothing about who asks.
import { answer, seeTaken } from '../conclude.ts'
import type { Exchange, Service } from '../exchange.ts'
import type { Head } from '../head.ts'
import { isWakePath } from './wakePath.ts'
import { wordsFor } from './words.ts'

/** `instance` is the one at this host. */
export const serveOwnPath = (service: Service, exchange: Exchange, instance: string, head: Head): void => {
  if (!isLook(exchange, head)) answer(service, exchange, instance, { reason: 'reserved_path', delivered: false })
  else if (head.method === 'GET' && acceptsEvents(exchange)) tellOn(service, exchange, instance)
  else tellOnce(service, exchange, instance)
}

const isLook = ({ upgrade }: Exchange, { method, path, hasBody }: Head): boolean =>
  isWakePath(path) && (method === 'GET' || method === 'HEAD') && !hasBody && upgrade === undefined

const acceptsEvents = ({ req }: Exchange): boolean => /\btext\/event-stream\b/i.test(req.headers.accept ?? '')

/** Other sites have no business here, even as far as a browser lets them ask. */
const common = [
  ...['Cache-Control', 'no-store'],
  ...['X-Content-Type-Options', 'nosniff'],
  ...['Cross-Origin-Resource-Policy', 'same-origin'],
  ...['x-tenement-reason', 'wake'],
  ...['x-tenement-delivered', '0'],
]

/** nginx passes events on as they come where the answer asks for it; other proxies do so by the type. */
const tellOn = (service: Service, exchange: Exchange, instance: string): void => {
  const { res } = exchange
  res.writeHead(200, 'OK', ['Content-Type', 'text/event-stream', ...common, 'X-Accel-Buffering', 'no'])
  service.streams.open(instance, res)
  if (res.writableEnded) seeTaken(service, exchange, instance)
}

const tellOnce = (service: Service, exchange: Exchange, instance: string): void => {
  const { req, res } = exchange
  const body = Buffer.from(`${JSON.stringify(wordsFor(service.onlookers.look(instance)))}\n`)
  res.writeHead(200, 'OK', ['Content-Type', 'application/json', 'Content-Length', String(body.length), ...common])
  res.end(req.method === 'HEAD' ? undefined : body)
  seeTaken(service, exchange, instance)
}
