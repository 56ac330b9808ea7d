import { expect, test } from 'vitest'
import { buildTrust, forwardedHeaders, type Origin, readAddress } from '../../../src/router/forwarded.ts'
import { valuesOf } from '../../../src/router/rawHeaders.ts'

const proxy: Origin = { peer: '10.0.0.2', isTrusted: true, port: 8080, host: 'a.example.com', requestId: 'made-here' }
const said = (name: string, raw: string[], origin = proxy): string[] => valuesOf(forwardedHeaders(raw, origin), name)

test('the addresses a trusted proxy has seen come first, its own last', () => {
  const raw = ['X-Forwarded-For', '203.0.113.9, 2001:db8::1', 'x-forwarded-for', 'nonsense']
  expect(said('x-forwarded-for', raw)).toEqual(['203.0.113.9, 2001:db8::1, nonsense, 10.0.0.2'])
  expect(said('forwarded', raw)).toEqual([
    'for=203.0.113.9;host="a.example.com";proto=http, for="[2001:db8::1]", for=unknown, for=10.0.0.2',
  ])
})

test('what a trusted proxy says is taken where it is well-formed', () => {
  const raw = [
    'X-Forwarded-Proto',
    'https, http',
    'X-Forwarded-Host',
    'b.example.com:99',
    'X-Forwarded-Port',
    '443',
    'X-Request-Id',
    'r-1',
  ]
  expect(said('x-forwarded-proto', raw)).toEqual(['https'])
  expect(said('x-forwarded-host', raw)).toEqual(['b.example.com:99'])
  expect(said('x-forwarded-port', raw)).toEqual(['443'])
  expect(said('x-request-id', raw)).toEqual(['r-1'])
  const odd = [
    'X-Forwarded-Proto',
    'gopher',
    'X-Forwarded-Host',
    '"><script>',
    'X-Forwarded-Port',
    '443x',
    'X-Request-Id',
    'a b',
  ]
  expect(said('x-forwarded-proto', odd)).toEqual(['http'])
  expect(said('x-forwarded-host', odd)).toEqual(['a.example.com'])
  expect(said('x-forwarded-port', odd)).toEqual(['8080'])
  expect(said('x-request-id', odd)).toEqual(['made-here'])
})

test('the same words from anybody else are ignored', () => {
  const raw = ['X-Forwarded-For', '203.0.113.9', 'X-Forwarded-Proto', 'https', 'X-Request-Id', 'r-1']
  const stranger = { ...proxy, isTrusted: false }
  expect(said('x-forwarded-for', raw, stranger)).toEqual(['10.0.0.2'])
  expect(said('x-forwarded-proto', raw, stranger)).toEqual(['http'])
  expect(said('x-request-id', raw, stranger)).toEqual(['made-here'])
})

test('an address is read as people write it', () => {
  expect(readAddress('::ffff:192.0.2.7')).toBe('192.0.2.7')
  expect(readAddress('fe80::1%eth0')).toBe('fe80::1')
  expect(readAddress('2001:db8::1')).toBe('2001:db8::1')
  expect(readAddress(undefined)).toBe('')
})

test('trust covers addresses and ranges of both families, and nothing else', () => {
  const isTrusted = buildTrust(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1'])
  for (const address of ['10.255.0.1', '192.0.2.7', '2001:db8:1::9', '::1']) expect(isTrusted(address)).toBe(true)
  for (const address of ['11.0.0.1', '192.0.2.8', '2001:db9::1', '', 'localhost'])
    expect(isTrusted(address)).toBe(false)
  expect(buildTrust([])('127.0.0.1')).toBe(false)
})

test('a trusted proxy that is no address is an error that names it', () => {
  for (const range of ['proxy.local', '10.0.0.0/33', '10.0.0.0/', '::/129', '']) {
    expect(() => buildTrust([range])).toThrow(`trusted_proxies names "${range}"`)
  }
})
