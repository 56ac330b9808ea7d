// What an instance on the internet must not reach: everything that is not the internet. Private and link-local networks, the
// addresses under which clouds answer questions about a machine, this machine's own, and the IPv6 networks that lead to any of these
// under another name. Each is here with the document that sets it apart.
import type { networkInterfaces } from 'node:os'

/** IPv4, so that the IPv6 names of the same can be made from them. */
const blocked4: readonly string[] = [
  '0.0.0.0/8', // "this network", RFC 791
  '10.0.0.0/8', // private, RFC 1918
  '100.64.0.0/10', // shared between providers, RFC 6598; in it 100.100.100.200, metadata of Alibaba Cloud
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // metadata and services of Azure
  '169.254.0.0/16', // link-local, RFC 3927; in it 169.254.169.254, metadata of most clouds
  '172.16.0.0/12', // private, RFC 1918
  '192.0.0.192/32', // metadata of Oracle Cloud
  '192.168.0.0/16', // private, RFC 1918
  '198.18.0.0/15', // benchmarks, RFC 2544; in private use
  '224.0.0.0/4', // multicast: it would be sent on to the machine's own network
  '240.0.0.0/4', // reserved, with broadcast
]

const blocked6: readonly string[] = [
  '::/96', // loopback, unspecified, and IPv4 under its oldest name, RFC 4291
  '::ffff:0:0/96', // IPv4 as programs write it
  '64:ff9b:1::/48', // translation to private IPv4, RFC 8215
  '2001::/32', // Teredo, RFC 4380
  '2002::/16', // IPv4 under a name, RFC 3056
  'fc00::/7', // private, RFC 4193; in it fd00:ec2::254, metadata of Amazon
  'fe80::/10', // link-local
  'fec0::/10', // private in older networks, RFC 3879
  'ff00::/8', // multicast
]

/** What a network with NAT64 makes of an IPv4 network (RFC 6052): it would lead back to the same private place. */
const translated = (network: string): string => {
  const [address = '', length] = network.split('/')
  return `64:ff9b::${address}/${96 + Number(length)}`
}

/** An address of the machine's, as a network of its own; one of a link is written with its interface, which does not count. */
const single = (address: string): string => {
  const [bare = ''] = address.split('%')
  return `${bare}/${bare.includes(':') ? 128 : 32}`
}

type Interfaces = ReturnType<typeof networkInterfaces>

/** All of it for a machine with these interfaces, each network once. Pure. */
export const unreachableFor = (interfaces: Interfaces): readonly string[] => {
  const own = Object.values(interfaces).flatMap((addresses = []) => addresses.map(({ address }) => single(address)))
  const all4 = [...blocked4, ...own.filter((each) => !each.includes(':'))]
  return [...new Set([...all4, ...blocked6, ...own, ...all4.map(translated)])]
}
