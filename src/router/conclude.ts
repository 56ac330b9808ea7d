// Ends a request that an instance did not answer to the end: with an answer of tenement's own while nothing has been sent,
// with a break once something has. Each is logged in one line, with messages only: errors from reading an instance's
// answer carry pieces of it.
import { messageOf } from '../errors.ts'
import { type Answer, renderAnswer } from './answers.ts'
import { dropRest } from './dropRest.ts'
import type { Exchange, Service } from './exchange.ts'
import type { LogFields } from './log.ts'
import { entryOf, type Reason } from './reasons.ts'
import { watchReader } from './slowReader.ts'
import type { Side } from './tunnel.ts'

/** Answers with what the table says of the reason. Sends nothing when the client has left. */
export const answer = (
  service: Service,
  exchange: Exchange,
  instance: string | undefined,
  given: Answer,
  more: Pick<LogFields, 'detail' | 'err'> = {},
): void => {
  const { req, res, expects } = exchange
  const { level, status } = entryOf(given.reason)
  const message = given.delivered ? 'request failed' : 'request was refused'
  service.log[level]({ ...describe(service, exchange, instance, given.reason, status), ...more }, message)
  if (res.destroyed || res.headersSent) return
  service.report({ kind: 'refused', instance, reason: given.reason })
  // A client that was never told to continue may or may not send its body now: nothing after it could be trusted. One that
  // was too slow would be waited for once more.
  if (expects !== 'nothing' || given.reason === 'request_timeout') res.shouldKeepAlive = false
  const rendered = renderAnswer(given, { method: req.method ?? '', headers: req.headers }, service.random)
  res.writeHead(rendered.status, rendered.reasonPhrase, rendered.headers).end(rendered.body)
  seeTaken(service, exchange, instance)
  dropRest(req)
}

/** For an answer of tenement's own that has been written: one that is not taken must not keep its connection for ever. */
export const seeTaken = (service: Service, exchange: Exchange, instance: string | undefined): void => {
  if (exchange.res.writableLength === 0) return
  watchReader(exchange, service.patience.read, () => cutOff(service, exchange, instance))
}

/** Resets the connection: an orderly close could make a truncated response look complete. */
export const breakOff = (
  service: Service,
  exchange: Exchange,
  instance: string,
  { reason, error }: { readonly reason: Reason; readonly error: Error },
): void => {
  const about = describe(service, exchange, instance, reason, exchange.res.statusCode)
  service.report({ kind: 'broken', instance })
  service.log.warn({ ...about, detail: messageOf(error) }, 'response broke off')
  reset(exchange)
}

/** For a client that takes next to nothing of its answer. */
export const cutOff = (service: Service, exchange: Exchange, instance: string | undefined): void => {
  const { arrivedAtMs, res } = exchange
  const fields = { instance, status: res.statusCode, durationMs: service.now() - arrivedAtMs }
  service.log.info(fields, 'the client took its answer too slowly')
  reset(exchange)
}

/** For a tunnel of which one side takes next to nothing of what the other sends: closes the client's end of it. */
export const closeTunnel = (service: Service, exchange: Exchange, instance: string, side: Side): void => {
  const fields = { instance, status: 101, durationMs: service.now() - exchange.arrivedAtMs }
  service.log.info(fields, `the ${side} took what was sent over an upgraded connection too slowly`)
  reset(exchange)
}

/** For a fault in tenement itself, which cannot tell how far the request had come: it says the worse. */
export const fail = (service: Service, exchange: Exchange, instance: string | undefined, fault: unknown): void => {
  const isBegun = exchange.res.headersSent
  answer(service, exchange, instance, { reason: 'internal', delivered: true }, { err: fault })
  if (isBegun) reset(exchange)
}

const reset = ({ req }: Exchange): void => {
  try {
    req.socket.resetAndDestroy()
  } catch {
    // Only TCP can be reset; a unix socket is closed.
    req.socket.destroy()
  }
}

const describe = (
  service: Service,
  { arrivedAtMs }: Exchange,
  instance: string | undefined,
  reason: Reason,
  status: number,
): LogFields => ({ instance, reason, status, durationMs: service.now() - arrivedAtMs })
