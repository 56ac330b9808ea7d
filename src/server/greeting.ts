// What a person sees who has just started tenement: where it serves, and what to try next.
import type { Config } from '../config/schema.ts'
import { serviceFor } from '../config/serviceFor.ts'
import type { ListenAddress } from '../launcher/protocol.ts'

/** The address as a client on this machine would write it. */
const localAddress = ({ host, port }: ListenAddress): string => {
  const isEveryOrLoopback = ['::', '0.0.0.0', '127.0.0.1', '::1'].includes(host)
  return `${isEveryOrLoopback ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`
}

/** The host of an instance on the first domain, with the port where it is not that of http. */
export const addressOf = (
  domain: string,
  port: number | undefined,
  instance: { service: string; id: string },
): string => `${instance.id}.${instance.service}.${domain}${port === undefined || port === 80 ? '' : `:${port}`}`

const examples = (served: ReadonlyMap<string, readonly string[]>): readonly { service: string; id: string }[] =>
  [...served].flatMap(([service, [id]]) => (id === undefined ? [] : [{ service, id }]))

/** Those with autostart are on their way already. */
const isAsleep = ({ services }: Config, service: string, id: string): boolean => {
  const rules = services.get(service)
  return rules === undefined || !serviceFor(rules, id).autostart
}

export interface Greeting {
  readonly config: Config
  /** Services whose requests are refused on this machine. */
  readonly unrunnable: readonly string[]
  readonly version: string
  readonly listening: readonly ListenAddress[]
}

/** A few lines for a terminal or a log, without a line break at the end. */
export const greetingFor = ({ config, unrunnable, version, listening }: Greeting): string => {
  const served = new Map([...config.instances].filter(([service]) => !unrunnable.includes(service)))
  const [first] = listening
  const [domain = 'localhost'] = config.settings.domains
  const serves = `tenement ${version} serves ${config.file} on ${[...new Set(listening.map(localAddress))].join(' and ')}`
  const instances = [...served].reduce(
    (sum, [service, ids]) => sum + ids.filter((id) => isAsleep(config, service, id)).length,
    0,
  )
  const asleep = `${instances} ${instances === 1 ? 'instance is' : 'instances are'} asleep; the first request wakes one`
  if (first === undefined || served.size === 0) return `${serves}\nadd an instance: tenement add <service>:<id>`
  const tries = examples(served).map(
    (each) =>
      `  curl -H 'Host: ${addressOf(domain, 80, each)}' ${localAddress(first)}/    # wakes ${each.service}:${each.id}`,
  )
  return [
    serves,
    asleep,
    ...tries,
    '  npx tenement ps    # who is awake',
    'Ctrl-C stops every instance and ends it',
  ].join('\n')
}
