import { expect, test } from 'vitest'
import { type Asker, isNavigation, renderAnswer } from '../../../src/router/answers.ts'
import { valuesOf } from '../../../src/router/rawHeaders.ts'
import { entryOf, type Reason, reasons } from '../../../src/router/reasons.ts'

const api: Asker = { method: 'GET', headers: { accept: '*/*' } }
const browser: Asker = { method: 'GET', headers: { 'sec-fetch-mode': 'navigate', accept: 'text/html' } }
const middle = (): number => 0.5
const all = Object.keys(reasons).filter((name): name is Reason => name in reasons)

test('503 is for what was not delivered, 502 and 504 for what was, and nothing else uses them', () => {
  const of = (status: number): Reason[] => all.filter((reason) => entryOf(reason).status === status)
  expect(of(502)).toEqual(['upstream_broke', 'upstream_protocol'])
  expect(of(504)).toEqual(['upstream_timeout'])
  for (const reason of of(503)) expect(entryOf(reason).retryAfterSeconds).toBeGreaterThanOrEqual(1)
})

test('every answer says why, whether it was delivered, and that it is not to be kept', () => {
  for (const reason of all) {
    for (const asker of [api, browser, undefined]) {
      const { status, headers, body } = renderAnswer(
        { reason, delivered: reason.startsWith('upstream') },
        asker,
        middle,
      )
      expect(valuesOf(headers, 'x-tenement-reason')).toEqual([reason])
      expect(valuesOf(headers, 'x-tenement-delivered')).toEqual([reason.startsWith('upstream') ? '1' : '0'])
      expect(valuesOf(headers, 'cache-control')).toEqual(['no-store'])
      expect(valuesOf(headers, 'content-length')).toEqual([String(body.length)])
      expect(valuesOf(headers, 'retry-after')).toHaveLength(status === 503 || status === 429 ? 1 : 0)
    }
  }
})

test('programs get problem+json', () => {
  const { headers, body } = renderAnswer({ reason: 'waking', delivered: false }, api, middle)
  expect(valuesOf(headers, 'content-type')).toEqual(['application/problem+json'])
  expect(JSON.parse(body.toString())).toEqual({
    type: 'about:blank',
    title: 'Service Unavailable',
    status: 503,
    detail: 'The application is still starting.',
    reason: 'waking',
  })
})

test('browsers get a page that reloads while waiting makes sense', () => {
  const page = (reason: Reason): string =>
    renderAnswer({ reason, delivered: false, retryAfterMs: 4_000 }, browser, middle).body.toString()
  expect(page('waking')).toContain('<meta http-equiv="refresh" content="4">')
  expect(page('disabled')).not.toContain('http-equiv')
  expect(page('unknown_host')).toContain('<h1>404 Not Found</h1>')
})

test('a browser that waits for a wake gets the page that waits, where it is known how far the wake is', () => {
  const wake = { state: 'starting', forMs: 1_500 } as const
  const { status, headers, body } = renderAnswer(
    { reason: 'waking', delivered: false, retryAfterMs: 1_000, wake },
    browser,
    middle,
  )
  expect(status).toBe(503)
  expect(valuesOf(headers, 'retry-after')).toEqual(['1'])
  expect(valuesOf(headers, 'x-robots-tag')).toEqual(['noindex'])
  expect(valuesOf(headers, 'content-security-policy')[0]).toContain("connect-src 'self'")
  expect(body.toString()).toContain('Waking up')
  const forProgram = renderAnswer({ reason: 'waking', delivered: false, wake }, api, middle)
  expect(JSON.parse(forProgram.body.toString())).toMatchObject({ reason: 'waking' })
})

test('a HEAD has the length of the GET and no body', () => {
  const get = renderAnswer({ reason: 'unknown_host', delivered: false }, api, middle)
  const head = renderAnswer({ reason: 'unknown_host', delivered: false }, { ...api, method: 'HEAD' }, middle)
  expect(head.headers).toEqual(get.headers)
  expect(head.body).toHaveLength(0)
})

test('L4 Retry-After: Retry-After is a whole number of seconds, at least one, a fifth more or less', () => {
  const after = (retryAfterMs: number, random: number): string | undefined =>
    valuesOf(
      renderAnswer({ reason: 'waking', delivered: false, retryAfterMs }, api, () => random).headers,
      'retry-after',
    )[0]
  expect(after(10_000, 0)).toBe('8')
  expect(after(10_000, 0.5)).toBe('10')
  expect(after(10_000, 1)).toBe('12')
  expect(after(3, 0)).toBe('1')
  expect(after(0, 0)).toBe('1')
})

test('L4 browser or program: a page is for people: a browser going somewhere, not a script that fetches', () => {
  const is = (headers: Asker['headers'], method = 'GET'): boolean => isNavigation({ method, headers })
  expect(is({ 'sec-fetch-mode': 'navigate' })).toBe(true)
  expect(is({ 'sec-fetch-mode': 'cors', accept: 'text/html' })).toBe(false)
  expect(is({ 'sec-fetch-dest': 'image', accept: 'text/html' })).toBe(false)
  expect(is({ accept: 'text/html,application/xhtml+xml,*/*;q=0.8' })).toBe(true)
  expect(is({ accept: 'text/html' }, 'HEAD')).toBe(true)
  expect(is({ accept: 'text/html' }, 'POST')).toBe(false)
  expect(is({ accept: 'text/html', 'x-requested-with': 'XMLHttpRequest' })).toBe(false)
  expect(is({ accept: 'application/json, text/html;q=0.9' })).toBe(false)
  expect(is({ accept: 'text/html;q=0' })).toBe(false)
  expect(is({ accept: '*/*' })).toBe(false)
  expect(is({})).toBe(false)
})
