// The answers tenement makes itself, as status, headers and body; sending them is for others.
// Everything in them comes from the table of reasons: nothing of the request is repeated, so nothing of it can be planted.
import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http'
import { stillPage, waitingPage } from './page/page.ts'
import { entryOf, type Reason, type ReasonEntry } from './reasons.ts'
import type { WakeState } from './wake.ts'

export interface Answer {
  readonly reason: Reason
  /** Whether at least one byte of the request reached an instance. */
  readonly delivered: boolean
  /** Milliseconds until another try makes sense; the table's own number where absent. */
  readonly retryAfterMs?: number | undefined
  /** How far the wake is, where a page may wait for it. */
  readonly wake?: WakeState | undefined
  /** Further headers, as a raw list. */
  readonly headers?: readonly string[]
}

/** Who asks, as far as the form of the answer depends on it; undefined when the request could not be read. */
export interface Asker {
  readonly method: string
  readonly headers: IncomingHttpHeaders
}

interface Rendered {
  readonly status: number
  readonly reasonPhrase: string
  /** Raw list: name, value, name, value. */
  readonly headers: string[]
  /** Empty for HEAD, whose Content-Length still tells the size a GET would have had. */
  readonly body: Buffer
}

/** `random` gives numbers from 0 to 1, as Math.random does. */
export const renderAnswer = (answer: Answer, asker: Asker | undefined, random: () => number): Rendered => {
  const entry = entryOf(answer.reason)
  const retryAfter = retryAfterSeconds(answer, entry, random)
  const form = asker && isNavigation(asker) ? page(entry, retryAfter, answer.wake) : problem(answer.reason, entry)
  const body = Buffer.from(form.text)
  const headers = [
    ...['Content-Type', form.type],
    ...['Content-Length', String(body.length)],
    ...['Cache-Control', 'no-store'],
    ...['X-Content-Type-Options', 'nosniff'],
    ...['x-tenement-reason', answer.reason],
    ...['x-tenement-delivered', answer.delivered ? '1' : '0'],
    ...(retryAfter === undefined ? [] : ['Retry-After', String(retryAfter)]),
    ...(entry.status === 405 ? ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'] : []),
    ...(answer.headers ?? []),
    ...form.headers,
  ]
  return { ...phraseOf(entry), headers, body: asker?.method === 'HEAD' ? Buffer.alloc(0) : body }
}

const phraseOf = ({ status }: ReasonEntry): { status: number; reasonPhrase: string } => ({
  status,
  reasonPhrase: STATUS_CODES[status] ?? '',
})

/** Whole seconds, at least one, spread by a fifth either way so that a crowd does not come back as one. */
const retryAfterSeconds = (answer: Answer, entry: ReasonEntry, random: () => number): number | undefined => {
  if (entry.retryAfterSeconds === undefined) return undefined
  const seconds = answer.retryAfterMs === undefined ? entry.retryAfterSeconds : answer.retryAfterMs / 1_000
  return Math.max(1, Math.round(seconds * (0.8 + 0.4 * random())))
}

/** Whether a person will see the answer: a browser going to a page, not a script or an image fetching something. */
export const isNavigation = ({ method, headers }: Asker): boolean => {
  if (method !== 'GET' && method !== 'HEAD') return false
  if (Object.keys(headers).some((name) => name.startsWith('sec-fetch-')))
    return headers['sec-fetch-mode'] === 'navigate'
  return headers['x-requested-with'] === undefined && prefersHtml(headers.accept ?? '')
}

const prefersHtml = (accept: string): boolean => {
  if (!/text\/html/i.test(accept)) return false
  const weight = (type: string): number => {
    const entry = accept
      .toLowerCase()
      .split(',')
      .find((part) => part.split(';')[0]?.trim() === type)
    return entry === undefined ? 0 : Number(/;\s*q=([0-9.]+)/.exec(entry)?.[1] ?? 1)
  }
  return weight('text/html') > Math.max(weight('application/json'), weight('application/problem+json'))
}

interface Form {
  readonly type: string
  readonly text: string
  readonly headers: readonly string[]
}

/** RFC 9457. The type is about:blank, so the title is the status's own; `reason` is an extension member. */
const problem = (reason: Reason, { status, detail }: ReasonEntry): Form => ({
  type: 'application/problem+json',
  text: `${JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, detail, reason })}\n`,
  headers: [],
})

const page = ({ status, detail, reloads }: ReasonEntry, retryAfter: number | undefined, wake?: WakeState): Form => {
  const title = `${status} ${STATUS_CODES[status] ?? ''}`
  const seconds = reloads ? retryAfter : undefined
  const { html, policy } =
    wake === undefined || seconds === undefined ? stillPage(title, detail, seconds) : waitingPage(wake, seconds)
  return {
    type: 'text/html; charset=utf-8',
    headers: ['Content-Security-Policy', policy, 'X-Robots-Tag', 'noindex'],
    text: html,
  }
}
