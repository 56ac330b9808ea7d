import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Origin } from '../../../src/router/forwarded.ts'
import { requestHeaders, responseHeaders, trailers } from '../../../src/router/headers.ts'
import { eachHeader, valuesOf } from '../../../src/router/rawHeaders.ts'

const origin = (changes: Partial<Origin> = {}): Origin => ({
  peer: '198.51.100.4',
  isTrusted: false,
  port: 8080,
  host: 'alice.notes.example.com',
  requestId: 'made-here',
  ...changes,
})

const added = [
  ...['X-Forwarded-For', '198.51.100.4'],
  ...['X-Forwarded-Proto', 'http'],
  ...['X-Forwarded-Host', 'alice.notes.example.com'],
  ...['X-Forwarded-Port', '8080'],
  ...['Forwarded', 'for=198.51.100.4;host="alice.notes.example.com";proto=http'],
  ...['X-Request-Id', 'made-here'],
]

test('what a request carries keeps its order, case and repetitions', () => {
  const raw = [
    'host',
    'alice.notes.example.com',
    'COOKIE',
    'a=1',
    'Cookie',
    'b=2',
    'x-api_key',
    'k',
    'Content-Length',
    '3',
  ]
  expect(requestHeaders(raw, origin())).toEqual(['Host', 'alice.notes.example.com', ...raw.slice(2), ...added])
})

const spelled = (name: string): string[] => [
  name,
  name.toUpperCase(),
  name.replaceAll('-', '_'),
  name.replace('-', '_'),
]
const forbidden = [
  ...[
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
  ],
  ...[
    'Expect',
    'HTTP2-Settings',
    'Proxy',
    'X-Real-IP',
    'X-Tenement-Anything',
    'X-Named',
    'X-Forwarded-User',
    'X-Original-URL',
  ],
  ...[
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'X-Forwarded-Host',
    'X-Forwarded-Port',
    'Forwarded',
    'X-Request-Id',
    'CF-Connecting-IP',
  ],
].flatMap(spelled)

test('no spelling of a header of tenement, of the connection or of a proxy passes from a client', () => {
  const name = fc.constantFrom(...forbidden, 'Accept', 'X-Fine', 'Cookie')
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.constantFrom('evil', 'chunked', '6.6.6.6'))), (pairs) => {
      const raw = ['Connection', 'x-named, X_Named', ...pairs.flat()]
      const out = requestHeaders(raw, origin())
      expect(out.slice(-added.length)).toEqual(added)
      eachHeader(out.slice(2, -added.length), (each) => expect(['accept', 'x-fine', 'cookie']).toContain(each))
      const fine = pairs.filter(([each]) => ['Accept', 'X-Fine', 'Cookie'].includes(each)).flat()
      expect(out.slice(2, -added.length)).toEqual(fine)
    }),
  )
})

test('Connection cannot have the length or the host removed', () => {
  const out = requestHeaders(['Connection', 'content-length, host', 'Content-Length', '3', 'Host', 'x'], origin())
  expect(valuesOf(out, 'content-length')).toEqual(['3'])
  expect(valuesOf(out, 'host')).toEqual(['alice.notes.example.com'])
})

test('framing spelled with underscores does not pass, not even from a trusted proxy', () => {
  const raw = ['Content_Length', '3', 'Transfer_Encoding', 'chunked', 'X_Forwarded_For', '6.6.6.6', 'X_Tenement_A', 'b']
  expect(requestHeaders(raw, origin({ isTrusted: true }))).toEqual(['Host', 'alice.notes.example.com', ...added])
})

test('a response keeps its cookies, and loses what belongs to the connection or to tenement', () => {
  const raw = [
    'Set-Cookie',
    'a',
    'set-cookie',
    'b',
    'Connection',
    'close, X-Hop',
    'X-Hop',
    '1',
    'Keep-Alive',
    'timeout=5',
    'Transfer-Encoding',
    'chunked',
  ]
  const kept = responseHeaders([...raw, 'X-Tenement-Reason', 'waking', 'x-tenement', 'a'], {
    status: 200,
    canTrail: false,
  })
  expect(kept).toEqual(['Set-Cookie', 'a', 'set-cookie', 'b'])
})

test('a length stands only where it is the framing', () => {
  const of = (status: number, ...raw: string[]) =>
    responseHeaders(['Content-Length', '3', ...raw], { status, canTrail: false })
  expect(of(200)).toEqual(['Content-Length', '3'])
  expect(of(304)).toEqual(['Content-Length', '3'])
  expect(of(204)).toEqual([])
  expect(of(200, 'Transfer-Encoding', 'chunked')).toEqual([])
})

test('a 426 says which protocol it wants, other answers cannot offer one', () => {
  const raw = ['Connection', 'Upgrade', 'Upgrade', 'websocket']
  expect(responseHeaders(raw, { status: 426, canTrail: false })).toEqual(['Upgrade', 'websocket'])
  expect(responseHeaders(raw, { status: 200, canTrail: false })).toEqual([])
})

test('trailers cannot change what the head has said', () => {
  expect(
    trailers([
      'X-Sum',
      '1',
      'Content-Length',
      '9',
      'Set-Cookie',
      'a',
      'Transfer-Encoding',
      'x',
      'x-tenement-reason',
      'y',
    ]),
  ).toEqual(['X-Sum', '1'])
})
