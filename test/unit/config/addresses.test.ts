import { describe, expect, it } from 'vitest'
import { isNetwork, normalizeDomain, normalizeHost, parseListen } from '../../../src/config/addresses.ts'

describe('listen addresses', () => {
  it.each([
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    [':8080', { host: '::', port: 8080 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    [8080, { host: '127.0.0.1', port: 8080 }],
  ])('%s is read', (written, address) => expect(parseListen(written)).toEqual(address))

  it.each([
    '8080',
    '127.0.0.1',
    '127.0.0.1:65536',
    '::1:80',
    '[127.0.0.1]:80',
    'a b:80',
    '1.2.3:80',
    'http://a:80',
    '/run/x',
    65_536,
    -1,
    80.5,
  ])('%s is refused', (written) => expect(parseListen(written)).toBeUndefined())
})

describe('hosts have one spelling', () => {
  it.each([
    ['Shop.ACME.com', 'shop.acme.com'],
    ['shop.acme.com.', 'shop.acme.com'],
    ['192.0.2.1', '192.0.2.1'],
    ['::0001', '[::1]'],
    ['[0:0::1]', '[::1]'],
  ])('%s is %s', (written, host) => expect(normalizeHost(written)).toBe(host))

  it.each([
    '',
    '.',
    'a..b',
    '*.a.com',
    'a/b',
    'a:80',
    'ä.com',
    'a b',
    '1.2.3',
    '[1.2.3.4]',
    'fe80::1%eth0',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(130)}com`,
  ])('%s is none', (written) => expect(normalizeHost(written)).toBeUndefined())

  it('an address is no domain, since no instance could be found below it', () => {
    expect(normalizeDomain('127.0.0.1')).toBeUndefined()
  })
})

describe('trusted networks', () => {
  it.each(['10.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '::1', 'fd00::/8', '::/128'])('%s is one', (written) =>
    expect(isNetwork(written)).toBe(true),
  )
  it.each([
    '10.0.0',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0.0/-1',
    'localhost',
    'fe80::1%eth0',
    '',
  ])('%s is none', (written) => expect(isNetwork(written)).toBe(false))
})
