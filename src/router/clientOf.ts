// Whom a request is counted against. An address that a client says itself is worth nothing, so a chain of proxies is followed
// from the near end for as long as each is trusted; who stands before the last of them is the client. Pure.
import { isIP, isIPv6 } from 'node:net'
import { buildTrust, readAddress } from './forwarded.ts'
import { type RawHeaders, valuesOf } from './rawHeaders.ts'

const isLoopback = buildTrust(['127.0.0.0/8', '::1'])

/** Where a proxy says no address; together they are one client. */
const unknownClient = 'unknown'

/**
 * The client to count: an IPv4 address, or the 64 bits of an IPv6 network, all of which one customer holds (RFC 6177).
 * Undefined for those that are not counted: this machine itself, and a trusted proxy that asks on its own behalf.
 */
export const clientOf = (
  raw: RawHeaders,
  peer: string,
  isTrusted: (address: string) => boolean,
): string | undefined => {
  if (!isTrusted(peer)) return isLoopback(peer) ? undefined : networkOf(peer)
  const chain = valuesOf(raw, 'x-forwarded-for').join(',').split(',').map(readEntry)
  const client = chain.reverse().find((address) => address !== '' && !isTrusted(address))
  return client === undefined ? undefined : networkOf(client)
}

/** Some proxies add the port. */
const withPort = /^(?:\[([^\]]+)\](?::[0-9]+)?|([0-9.]+):[0-9]+)$/

const readEntry = (entry: string): string => {
  const [, bracketed, plain] = withPort.exec(entry.trim()) ?? []
  return readAddress(bracketed ?? plain ?? entry.trim())
}

const networkOf = (address: string): string => {
  if (isIP(address) === 0) return unknownClient
  return isIPv6(address) ? `${firstGroups(address).join(':')}::/64` : address
}

/** The first four groups of an IPv6 address, each in its shortest form. */
const firstGroups = (address: string): string[] => {
  const [before = [], after = []] = address.split('::').map((part) => part.split(':').filter((group) => group !== ''))
  const width = (groups: readonly string[]): number => groups.length + (groups.at(-1)?.includes('.') ? 1 : 0)
  const zeros = Array<string>(8 - width(before) - width(after)).fill('0')
  return [...before, ...zeros, ...after].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
}
