// Judges a request head before anything is done with it. Pure; works on raw headers, since Node's joined ones hide
// repetitions. Node's strict parser has refused the rest by now: folded lines, bare CR or LF, a space before the colon,
// Content-Length beside Transfer-Encoding. What two parsers could read differently is refused, never repaired.
import { type RawHeaders, valuesOf } from './rawHeaders.ts'

/** What of an http.IncomingMessage is judged. */
export interface RequestHead {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly httpVersion: string
  readonly rawHeaders: RawHeaders
}

export interface Head {
  readonly method: string
  /** The one host the request is for, as it was written. */
  readonly host: string
  /** The target in origin-form, byte for byte. */
  readonly path: string
  readonly hasBody: boolean
}

type HeadFault = 'bad_request' | 'bad_host' | 'method_not_allowed'

const absoluteTarget = /^https?:\/\/([^/?#@]+)(\/.*|\?.*)?$/i
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const controlCharacter = /[\0-\x08\x0a-\x1f\x7f]/

/** TRACE sends back what the proxies on the way added (RFC 9110 section 9.3.8); CONNECT is for proxies, not for sites. */
const refusedMethods = new Set(['TRACE', 'CONNECT'])

/** The head as tenement acts on it, or why it does not act on it. */
export const readHead = (request: RequestHead): Head | HeadFault => {
  const { method = '', httpVersion, rawHeaders } = request
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'bad_request'
  if (rawHeaders.some((text) => controlCharacter.test(text))) return 'bad_request'
  const framing = readFraming(request)
  if (framing === undefined) return 'bad_request'
  if (refusedMethods.has(method)) return 'method_not_allowed'
  const target = readTarget(request)
  return typeof target === 'string' ? target : { method, ...target, ...framing }
}

/** Whether a body follows; undefined where its length is open to interpretation (RFC 9112 section 6). */
const readFraming = ({ httpVersion, rawHeaders }: RequestHead): { hasBody: boolean } | undefined => {
  const lengths = valuesOf(rawHeaders, 'content-length')
  const codings = valuesOf(rawHeaders, 'transfer-encoding')
  if (codings.length > 0)
    return isChunked(codings) && lengths.length === 0 && httpVersion === '1.1' ? { hasBody: true } : undefined
  const [length = '0', ...more] = lengths
  if (more.length > 0 || !/^[0-9]+$/.test(length)) return undefined
  // Beyond this a number would be written to the instance as another one than the client sent.
  return Number(length) <= Number.MAX_SAFE_INTEGER ? { hasBody: Number(length) > 0 } : undefined
}

const isChunked = (codings: readonly string[]): boolean =>
  codings.length === 1 && codings[0]?.toLowerCase() === 'chunked'

/** An absolute-form target must say the same as Host: neither is believed over the other (RFC 9112 section 3.2.2). */
const readTarget = ({ url = '', rawHeaders }: RequestHead): { host: string; path: string } | HeadFault => {
  const [host = '', ...more] = valuesOf(rawHeaders, 'host')
  if (host === '' || more.length > 0) return 'bad_host'
  if (url.startsWith('/')) return { host, path: url }
  const [, authority, path = '/'] = absoluteTarget.exec(url) ?? []
  if (authority === undefined) return 'bad_request'
  if (authority.toLowerCase() !== host.toLowerCase()) return 'bad_host'
  return { host, path: path.startsWith('/') ? path : `/${path}` }
}
