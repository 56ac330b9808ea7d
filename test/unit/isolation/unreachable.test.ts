import { BlockList, isIPv6 } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import { expect, test } from 'vitest'
import { unreachableFor } from '../../../src/isolation/unreachable.ts'

const address = (text: string): NetworkInterfaceInfo => {
  const common = { address: text, netmask: '', mac: '', internal: false, cidr: null }
  return isIPv6(text) ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' }
}

const networks = unreachableFor({
  eth0: [address('198.51.100.2'), address('2001:db8:1::2')],
  wg0: [address('203.0.113.7')],
})

/** Node's own reading of the list, by family: it takes every IPv4 address for one of ::ffff:0:0/96 too. */
const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
const familyOf = (text: string) => (isIPv6(text) ? 'ipv6' : 'ipv4')
for (const each of networks) {
  const [net = '', prefix] = each.split('/')
  lists[familyOf(net)].addSubnet(net, Number(prefix), familyOf(net))
}
const isBlocked = (text: string): boolean => lists[familyOf(text)].check(text, familyOf(text))

test.each([
  ...['127.0.0.1', '127.255.255.254', '0.0.0.0', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
  ...['169.254.169.254', '169.254.170.2', '168.63.129.16', '100.100.100.200', '100.127.255.255', '192.0.0.192'],
  ...['224.0.0.251', '255.255.255.255', '::1', '::', 'fe80::1', 'febf::1', 'fd00:ec2::254', 'fc00::1', 'ff02::fb'],
  ...[
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b::ac1f:1',
    '64:ff9b:1::1',
  ],
  ...['2002:a00:1::1', '2001:0:1::1', '198.51.100.2', '203.0.113.7', '2001:db8:1::2', '64:ff9b::c633:6402'],
])('%s is not the internet', (text) => {
  expect(isBlocked(text)).toBe(true)
})

test.each([
  ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.1', '100.63.255.255', '100.128.0.1', '172.15.0.1', '172.32.0.1'],
  ...['168.63.129.17', '192.0.0.6', '192.167.1.1', '223.255.255.255', '198.51.100.3', '203.0.113.8'],
  ...['2606:4700:4700::1111', '2001:4860:4860::8888', '2001:db8:1::3', '64:ff9b::808:808', '100::1', '2003::1'],
])('%s is the internet', (text) => {
  expect(isBlocked(text)).toBe(false)
})

test('an address of a link is named without its interface, and no network twice', () => {
  const given = unreachableFor({ eth0: [address('fe80::9%eth0'), address('fe80::9%eth1')] })
  expect(given.filter((each) => each.startsWith('fe80::9'))).toEqual(['fe80::9/128'])
})
