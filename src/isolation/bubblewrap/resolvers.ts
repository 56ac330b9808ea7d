// Which nameservers an instance with a way out can ask: those of resolv.conf(5) that are no loopback. Pure.
// A loopback inside is the instance's own, and the machine's is what it must never reach.
import { BlockList, isIP } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addSubnet('0.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')
loopback.addAddress('::', 'ipv6')

/** The first of the texts that names any decides. Libraries ask no more than three (MAXNS of resolv.conf(5)). */
export const resolversOf = (texts: readonly string[]): readonly string[] =>
  texts.map(usable).find((found) => found.length > 0) ?? []

const usable = (text: string): readonly string[] =>
  [...text.matchAll(/^[ \t]*nameserver[ \t]+([^\s%]+)/gm)]
    .map(([, address = '']) => address)
    .filter((address) => isIP(address) !== 0 && !loopback.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6'))
    .slice(0, 3)
