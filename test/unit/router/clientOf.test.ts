import { expect, test } from 'vitest'
import { clientOf } from '../../../src/router/clientOf.ts'
import { buildTrust } from '../../../src/router/forwarded.ts'

const isTrusted = buildTrust(['10.0.0.0/8', '127.0.0.1', 'fd00::/8'])
const of = (peer: string, ...forwarded: string[]): string | undefined =>
  clientOf(
    forwarded.flatMap((value) => ['X-Forwarded-For', value]),
    peer,
    isTrusted,
  )

test('a client is its IPv4 address or its IPv6 network of 64 bits, however it is written', () => {
  expect(of('203.0.113.9')).toBe('203.0.113.9')
  const network = '2001:db8:0:1::/64'
  for (const address of ['2001:db8:0:1::1', '2001:0db8:0:0001:ffff::', '2001:db8::1:2:3:4:5', '2001:DB8:0:1:1:2:3:4'])
    expect(of(address)).toBe(network)
  expect(of('2001:db8:0:2::1')).not.toBe(network)
  expect(of('::5:6:7:8')).toBe('0:0:0:0::/64')
  expect(of('64:ff9b::192.0.2.1')).toBe('64:ff9b:0:0::/64')
})

test('what an untrusted client says about addresses is not read', () => {
  expect(of('203.0.113.9', '198.51.100.1')).toBe('203.0.113.9')
  expect(of('203.0.113.9', '127.0.0.1')).toBe('203.0.113.9')
})

test('the client a trusted proxy forwards for is counted, the proxy is not', () => {
  expect(of('10.0.0.1', '203.0.113.9')).toBe('203.0.113.9')
  expect(of('10.0.0.1')).toBeUndefined()
  expect(of('10.0.0.1', '10.0.0.2')).toBeUndefined()
  expect(of('127.0.0.1', '203.0.113.9')).toBe('203.0.113.9')
})

test('addresses a client put in front of its own change nothing', () => {
  expect(of('10.0.0.1', '198.51.100.1, 127.0.0.1, 203.0.113.9')).toBe('203.0.113.9')
  expect(of('10.0.0.1', '10.9.9.9, 203.0.113.9, 10.0.0.2')).toBe('203.0.113.9')
  expect(of('10.0.0.1', '198.51.100.1', '203.0.113.9')).toBe('203.0.113.9')
})

test('ports that a proxy adds are not part of an address, and what is no address is one client', () => {
  expect(of('10.0.0.1', '203.0.113.9:4711')).toBe('203.0.113.9')
  expect(of('10.0.0.1', '[2001:db8::1]:4711')).toBe('2001:db8:0:0::/64')
  expect(of('10.0.0.1', 'unknown, _hidden')).toBe(of('10.0.0.1', 'something else'))
  expect(of('10.0.0.1', 'unknown')).toBeDefined()
})

test('this machine itself is not counted', () => {
  const nobody = buildTrust([])
  for (const peer of ['127.0.0.1', '127.8.9.1', '::1']) expect(clientOf([], peer, nobody)).toBeUndefined()
})
