// Turns a Host header into the instance it asks for. Pure: no network, no clock, no supervisor.
// A host that names nothing known is undefined, never an error: scanners send such hosts all day, so nothing is kept
// about them. Whether a name is known is asked anew each time, because instances come and go while tenement runs.
import { isIPv6 } from 'node:net'
import { TenementError } from '../errors.ts'
import { formatInstance, type InstanceName, isName, parseInstance } from '../names.ts'

export interface HostTable {
  /** Lower case, without a trailing dot, longest first. */
  readonly domains: readonly string[]
  readonly hosts: ReadonlyMap<string, InstanceName>
  readonly isKnown: (service: string, id: string) => boolean
}

interface HostTableOptions {
  /** Domains below which '{id}.{service}' names an instance. */
  readonly domains: readonly string[]
  /** Whole hosts and the instance each stands for: 'shop.acme.com' → 'api:acme'. */
  readonly hosts: Readonly<Record<string, string>>
  /** Whether this instance may be woken by a request. Both names are well-formed when it is asked. */
  readonly isKnown: (service: string, id: string) => boolean
}

/** The instance `{service}.{domain}` stands for. */
const mainId = 'main'

/** 253 characters of name (RFC 1035 section 2.3.4), a trailing dot, and ':65535'. */
const maxHostLength = 260

const namedHost = /^([a-z0-9._-]+)(?::[0-9]{0,5})?$/i
const literalHost = /^\[([a-f0-9:.]+)\](?::[0-9]{0,5})?$/i

const withoutDot = (host: string): string => (host.endsWith('.') ? host.slice(0, -1) : host)
const normalise = (host: string): string => withoutDot(host.toLowerCase())

/** Throws a TenementError when a host stands for something that cannot be an instance. */
export const buildHostTable = ({ domains, hosts, isKnown }: HostTableOptions): HostTable => ({
  domains: domains.map(normalise).sort((a, b) => b.length - a.length),
  hosts: new Map(Object.entries(hosts).map(([host, instance]) => [normalise(host), instanceOf(host, instance)])),
  isKnown,
})

const instanceOf = (host: string, instance: string): InstanceName => {
  const name = parseInstance(instance)
  if (name) return name
  throw new TenementError('invalid_config', `hosts."${host}" = "${instance}" is not an instance`, {
    fix: 'write it as "service:id"',
  })
}

/**
 * The instance 'service:id' a Host header asks for; undefined when it names none that is known; 'bad' when it is no host
 * at all (RFC 9110 section 7.2). The port is ignored, one trailing dot is dropped, letters count the same in either case.
 */
export const match = (table: HostTable, rawHost: string): string | undefined => {
  const host = readHost(rawHost)
  if (host === undefined) return 'bad'
  const name = table.hosts.get(host) ?? nameBelow(table.domains, host)
  return name && table.isKnown(name.service, name.id) ? formatInstance(name) : undefined
}

const readHost = (raw: string): string | undefined => {
  if (raw.length > maxHostLength) return undefined
  const literal = literalHost.exec(raw)?.[1]
  if (literal !== undefined) return isIPv6(literal) ? `[${literal.toLowerCase()}]` : undefined
  const host = normalise(namedHost.exec(raw)?.[1] ?? '')
  return host === '' ? undefined : host
}

/** The longest domain decides alone: what it does not name is not looked for below a shorter one. */
const nameBelow = (domains: readonly string[], host: string): InstanceName | undefined => {
  const domain = domains.find((one) => host === one || host.endsWith(`.${one}`))
  if (domain === undefined || host === domain) return undefined
  const labels = host.slice(0, -domain.length - 1).split('.')
  const [id = '', service = ''] = labels.length === 1 ? [mainId, ...labels] : labels
  return labels.length <= 2 && isName(id) && isName(service) ? { service, id } : undefined
}
