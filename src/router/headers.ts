// Which headers pass, in both directions. Pure; raw lists in, raw lists out, so several Set-Cookie stay several.
// The surprising part is the underscore: CGI, WSGI and Rack read X_Forwarded_For and X-Forwarded-For as one name, so a
// name that means something here once its underscores are dashes never passes.
import { forwardedHeaders, type Origin } from './forwarded.ts'
import { filterHeaders, type RawHeaders, tokensOf, valuesOf } from './rawHeaders.ts'

/** Of one connection only (RFC 9110 section 7.6.1), or of the exchange with a proxy. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Written by tenement, or by nobody. `Proxy` becomes HTTP_PROXY in CGI programs (CVE-2016-5385). */
const ours = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'forwarded',
  'x-request-id',
  'x-real-ip',
  'proxy',
])

/** What proxies say about a client; believed from trusted ones only. */
const claim =
  /^(x-forwarded|x-forwarded-.*|x-original-.*|x-rewrite-url|x-host|x-client-ip|x-cluster-client-ip|client-ip|true-client-ip|cf-connecting-ip|fastly-client-ip)$/

/** Framing and routing: never removed because Connection names them, never accepted with underscores. */
const essential = new Set(['host', 'content-length'])

/** tenement answers it itself, or undoes it with the upgrade it belongs to. */
const answeredHere = new Set(['expect', 'http2-settings'])

const isTenements = (name: string): boolean => name.startsWith('x-tenement-') || name === 'x-tenement'

const namedByConnection = (raw: RawHeaders): Set<string> =>
  new Set(tokensOf(raw, 'connection').filter((name) => !essential.has(name)))

/** The head for the instance, from what a client sent. Content-Length stays only where it is the framing. */
export const requestHeaders = (raw: RawHeaders, origin: Origin): string[] => {
  const named = namedByConnection(raw)
  const isChunked = valuesOf(raw, 'transfer-encoding').length > 0
  const kept = filterHeaders(raw, (name) => {
    if (name === 'host' || named.has(name)) return false
    if (name === 'content-length') return !isChunked
    return isPassable(name, origin.isTrusted)
  })
  return ['Host', origin.host, ...kept, ...forwardedHeaders(raw, origin)]
}

const isPassable = (name: string, isTrusted: boolean): boolean => {
  const dashed = name.replaceAll('_', '-')
  if (hopByHop.has(dashed) || ours.has(dashed) || answeredHere.has(dashed) || isTenements(dashed)) return false
  if (dashed !== name) return !claim.test(dashed) && !essential.has(dashed)
  return isTrusted || !claim.test(name)
}

/** How the response will be framed towards the client, which decides what may stand in its head. */
interface ResponseFraming {
  readonly status: number
  /** Whether it goes out in chunks, so that trailers can follow. */
  readonly canTrail: boolean
}

/** The head for the client, from what an instance sent. */
export const responseHeaders = (raw: RawHeaders, { status, canTrail }: ResponseFraming): string[] => {
  const named = namedByConnection(raw)
  const hasLength = status >= 200 && status !== 204 && valuesOf(raw, 'transfer-encoding').length === 0
  return filterHeaders(raw, (name) => {
    if (name === 'content-length') return hasLength
    if (name === 'trailer') return canTrail
    // RFC 9110 section 15.5.22: a 426 says which protocol it wants.
    if (name === 'upgrade') return status === 426
    return !named.has(name) && !hopByHop.has(name) && !isTenements(name)
  })
}

/** Fields that must not come after a body (RFC 9110 section 6.5.1): a head already acted upon cannot be changed. */
const neverTrails =
  /^(content-.*|set-cookie2?|host|authorization|www-authenticate|cache-control|expires|date|age|vary|location|retry-after|server)$/

/** The trailer section for the client. */
export const trailers = (raw: RawHeaders): string[] =>
  filterHeaders(raw, (name) => !hopByHop.has(name) && !isTenements(name) && !neverTrails.test(name))
