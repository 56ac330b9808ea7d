// network = "internet": a way out through pasta(1), which is attached from outside to the network namespace that bubblewrap
// made for the instance. It cannot be wrapped around bubblewrap: the launcher gives up new privileges for all it starts, and
// without them pasta's child may not map uids. Costs about 30 MB an instance. Pure; which networks stay unreachable, and that
// they do, is the launcher's: pasta by itself lets through whatever this machine reaches, and the machine itself.
import { TenementError } from '../../errors.ts'
import { serviceOf } from '../../names.ts'
import type { Launch } from '../adapter.ts'

export const pasta = '/usr/bin/pasta'

/** Whom the uplink is made for: numbers of descriptors as the launcher gives them (adapter.ts, Launch.uplink). */
const [network, owner, ready] = [3, 4, 5].map((fd) => `/proc/self/fd/${fd}`) as [string, string, string]

/**
 * Left to itself pasta copies the machine's addresses, and with them a route to its neighbours that goes before any rule on a
 * wider network. These exist nowhere: 192.0.0.0/29 (RFC 7335) and 100::/64 (RFC 6666).
 */
const addresses = ['-a', '192.0.0.5', '-n', '30', '-g', '192.0.0.6', '-a', '100::2', '-g', '100::1']

/** Without these the machine's loopback is reached: by the gateway's address, and by ports passed on of themselves. */
const noWayIn = ['--no-map-gw', '-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none']

export const uplink: NonNullable<Launch['uplink']> = [
  ...([pasta, '--config-net'] as const),
  ...noWayIn,
  // In the foreground, so that its end is seen; and without the name of the machine's own interface.
  ...['-f', '-q', '-I', 'eth0'],
  ...addresses,
  // All is configured at once, so nothing need be asked for. Neighbour discovery and ICMP stay: IPv6 is dead without.
  ...['--no-dhcp', '--no-dhcpv6', '--no-ra'],
  ...['-P', ready, '--netns', network, '--userns', owner],
]

/** What an instance asks for names; throws a TenementError where this machine has nothing that could be asked from there. */
export const requireResolvers = (resolvers: readonly string[], instance: string): readonly string[] => {
  if (resolvers.length > 0) return resolvers
  throw new TenementError('start_failed', `${instance} asks for the internet, and ${noResolver.reason}`, {
    fix: `${noResolver.fix}, or set service.${serviceOf(instance)}.network to "private"`,
  })
}

export const noResolver = {
  reason: 'this machine looks names up on its own loopback alone, where no instance with a network of its own reaches',
  fix: 'name a nameserver that is not on loopback in /etc/resolv.conf',
}
