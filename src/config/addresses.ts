// Reads network names as the config spells them: listen addresses, host names, trusted networks. Pure; nothing is resolved.
// An unreadable text is undefined, the caller makes the sentence.
import { isIP, isIPv4, isIPv6 } from 'node:net'

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** Reads "127.0.0.1:8080", "[::]:80", "localhost:8080", ":8080" (every address) or 8080 (this machine only). Port 0 lets the kernel choose. */
export const parseListen = (written: string | number): HostPort | undefined => {
  if (typeof written === 'number') return isPort(written) ? { host: '127.0.0.1', port: written } : undefined
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(written)
  if (parts === null) return undefined
  const [, bracketed, plain = '', digits] = parts
  const port = Number(digits)
  const host = bracketed ?? (plain === '' ? '::' : plain.toLowerCase())
  const isKnown = bracketed === undefined ? host === '::' || isIPv4(host) || isHostName(host) : isIPv6(bracketed)
  return isKnown && isPort(port) ? { host, port } : undefined
}

/** Whether an address is this machine's own, which nobody else can send to. */
export const isLoopback = (host: string): boolean =>
  isIPv4(host) ? host.startsWith('127.') : isIPv6(host) && canonicalIPv6(host) === '[::1]'

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 65_535

const hostLabel = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/

/** A DNS name in lower case without a trailing dot. A last label of digits would be read as an IPv4 address (WHATWG URL, "ends in a number"). */
const isHostName = (text: string): boolean => {
  const labels = text.split('.')
  return text.length <= 253 && labels.every((label) => hostLabel.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '')
}

/** The one spelling of a DNS name: lower case, no trailing dot; undefined when it is none. */
export const normalizeDomain = (written: string): string | undefined => {
  const name = written.toLowerCase().replace(/\.$/, '')
  return isHostName(name) ? name : undefined
}

/** The one spelling of what a Host header can hold, without its port: a DNS name, an IPv4 address, or an IPv6 address in brackets. */
export const normalizeHost = (written: string): string | undefined => {
  const bare = written.replace(/^\[(.*)\]$/, '$1')
  if (isIPv6(bare)) return canonicalIPv6(bare)
  return isIPv4(written) ? written : normalizeDomain(written)
}

// The URL parser writes an IPv6 address in its shortest form (RFC 5952); a zone cannot stand in a Host header (RFC 6874 aside).
const canonicalIPv6 = (address: string): string | undefined =>
  address.includes('%') ? undefined : new URL(`http://[${address}]/`).hostname

/** Whether the text is an IP address or a network such as "10.0.0.0/8". */
export const isNetwork = (written: string): boolean => {
  const [address = '', prefix, ...rest] = written.split('/')
  const family = isIP(address)
  if (family === 0 || address.includes('%') || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
}
