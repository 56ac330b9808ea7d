// Health checks of sleeping instances: a monitor that asks every minute would keep everything awake, so for paths the service names
// it is told that the instance sleeps, which is as it should be. Whatever is awake answers for itself.
import { seeTaken } from './conclude.ts'
import { dropRest } from './dropRest.ts'
import type { Exchange, Service } from './exchange.ts'
import type { Head } from './head.ts'
import { entryOf } from './reasons.ts'

export const isHealthCheck = (
  { upgrade }: Exchange,
  { method, path }: Head,
  asleepHealth: readonly string[],
): boolean => {
  if (asleepHealth.length === 0 || upgrade !== undefined || (method !== 'GET' && method !== 'HEAD')) return false
  return asleepHealth.includes(path.split('?', 1)[0] ?? '')
}

const body = Buffer.from('{"state":"asleep"}\n')

const headers = [
  ...['Content-Type', 'application/json'],
  ...['Content-Length', String(body.length)],
  ...['Cache-Control', 'no-store'],
  ...['x-tenement-reason', 'asleep'],
  ...['x-tenement-delivered', '0'],
]

export const answerAsleep = (service: Service, exchange: Exchange, instance: string): void => {
  const { req, res } = exchange
  res.writeHead(entryOf('asleep').status, headers).end(req.method === 'HEAD' ? undefined : body)
  seeTaken(service, exchange, instance)
  dropRest(req)
}
