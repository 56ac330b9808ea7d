// Reads what an Upgrade header asks for. Other HTTP versions and TLS are never passed on: inside them a client could
// speak to the instance past every rule for headers, and be believed. An upgrade that is not passed on is ignored, as
// RFC 9110 section 7.8 allows: the request is then served like any other.
import type { IncomingMessage } from 'node:http'
import { eachHeader, type RawHeaders, tokensOf, valuesOf, writeHead } from './rawHeaders.ts'

const wraps = /^(h2|h2c|h3|http|https|tls)(\/.*)?$/i

/** The protocols to ask the instance for, as they were written; undefined when there is nothing to pass on. */
export const protocolsOf = ({
  httpVersion,
  rawHeaders,
}: {
  httpVersion: string
  rawHeaders: RawHeaders
}): string | undefined => {
  const protocols = valuesOf(rawHeaders, 'upgrade')
    .flatMap((value) => value.split(','))
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '' && !wraps.test(protocol))
  // HTTP/1.0 knows no upgrade. With a body, nobody could say where it ends and the other protocol begins.
  if (httpVersion !== '1.1' || hasBody(rawHeaders) || protocols.length === 0) return undefined
  return tokensOf(rawHeaders, 'connection').includes('upgrade') ? protocols.join(', ') : undefined
}

const hasBody = (raw: RawHeaders): boolean =>
  valuesOf(raw, 'transfer-encoding').length > 0 ||
  valuesOf(raw, 'content-length').some((length) => !/^0+$/.test(length))

/** The bytes of a request head without its upgrade, for Node's parser to read once more: it gave the socket away. */
export const withoutUpgrade = (req: IncomingMessage): Buffer => {
  const kept: string[] = []
  eachHeader(req.rawHeaders, (name, value, written) => {
    if (name !== 'upgrade') kept.push(written, name === 'connection' ? withoutToken(value) : value)
  })
  return writeHead(`${req.method} ${req.url} HTTP/${req.httpVersion}`, kept)
}

const withoutToken = (connection: string): string =>
  connection
    .split(',')
    .filter((token) => token.trim().toLowerCase() !== 'upgrade')
    .join(',')
