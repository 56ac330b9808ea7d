// Says who is asking: X-Forwarded-*, Forwarded and X-Request-Id, made afresh for every request. Pure.
// From a trusted proxy only its X-Forwarded-* are read, and Forwarded (RFC 7239) is made from them: most proxies pass a
// client's own Forwarded on untouched, so believing both would believe the client.
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import { TenementError } from '../errors.ts'
import { type RawHeaders, valuesOf } from './rawHeaders.ts'

/** What is known about a request from its connection rather than from its bytes. */
export interface Origin {
  /** Address of the peer, as `readAddress` gives it. */
  readonly peer: string
  /** Whether that peer is one of the trusted proxies. */
  readonly isTrusted: boolean
  /** The port the request arrived at. */
  readonly port: number
  /** The host the request is for. */
  readonly host: string
  /** What X-Request-Id says when no trusted proxy has said it. */
  readonly requestId: string
}

const wellFormedId = /^[\w.:=+/@-]{1,128}$/

/** An address as people write it: IPv4 inside IPv6 unwrapped, no interface name. */
export const readAddress = (address: string | undefined): string => {
  const plain = (address ?? '').replace(/%.*$/, '')
  const mapped = /^::ffff:([0-9.]+)$/i.exec(plain)?.[1]
  return mapped !== undefined && isIPv4(mapped) ? mapped : plain
}

/** Whether an address belongs to one of these addresses or CIDR ranges. Throws a TenementError at one that is neither. */
export const buildTrust = (ranges: readonly string[]): ((address: string) => boolean) => {
  const list = new BlockList()
  for (const range of ranges) addRange(list, range)
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address))
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4')

const addRange = (list: BlockList, range: string): void => {
  const [, address = '', bits] = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(range) ?? []
  const width = isIPv6(address) ? 128 : 32
  const prefix = Number(bits ?? width)
  if (isIP(address) === 0 || prefix > width) {
    throw new TenementError('invalid_config', `trusted_proxies names "${range}", which is no address or CIDR range`, {
      fix: 'write it like "10.0.0.0/8" or "192.0.2.7"',
    })
  }
  list.addSubnet(address, prefix, familyOf(address))
}

/** The headers tenement adds towards the instance; a client's own copies must have been removed. */
export const forwardedHeaders = (raw: RawHeaders, origin: Origin): string[] => {
  if (!origin.isTrusted) return sayOnly(origin)
  const said = (name: string): string => valuesOf(raw, name).join(', ')
  const chain = [said('x-forwarded-for'), origin.peer].filter((part) => part !== '').join(', ')
  const proto = first(said('x-forwarded-proto'), /^https?$/) ?? 'http'
  const host = first(said('x-forwarded-host'), /^[a-z0-9._:[\]-]+$/i) ?? origin.host
  const port = first(said('x-forwarded-port'), /^[0-9]{1,5}$/) ?? String(origin.port)
  return [
    ...['X-Forwarded-For', chain],
    ...['X-Forwarded-Proto', proto],
    ...['X-Forwarded-Host', host],
    ...['X-Forwarded-Port', port],
    ...['Forwarded', writeForwarded(chain, host, proto)],
    ...['X-Request-Id', first(said('x-request-id'), wellFormedId) ?? origin.requestId],
  ]
}

/** What is known without believing anybody. */
const sayOnly = ({ peer, host, port, requestId }: Origin): string[] => {
  const proto = 'http'
  return [
    ...[
      'X-Forwarded-For',
      peer,
      'X-Forwarded-Proto',
      proto,
      'X-Forwarded-Host',
      host,
      'X-Forwarded-Port',
      String(port),
    ],
    ...['Forwarded', writeForwarded(peer, host, proto), 'X-Request-Id', requestId],
  ]
}

const first = (list: string, allowed: RegExp): string | undefined => {
  const [value = ''] = list.split(',')
  return allowed.test(value.trim()) ? value.trim() : undefined
}

/** Host and scheme are what the first in the chain asked for, so they stand with it. */
const writeForwarded = (chain: string, host: string, proto: string): string => {
  const [client = '', ...proxies] = chain.split(',').map((part) => `for=${writeNode(part.trim())}`)
  return [`${client};host="${host}";proto=${proto}`, ...proxies].join(', ')
}

/** RFC 7239 section 6: IPv6 is bracketed and quoted; what is no address is 'unknown' rather than passed on. */
const writeNode = (address: string): string => {
  if (isIPv4(address)) return address
  return isIPv6(address) ? `"[${address}]"` : 'unknown'
}
