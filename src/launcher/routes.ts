// What the network of a run must not reach, set before its application runs: as rules that are asked before any route (ip-rule(8)).
// Blackhole routes would not do. A more specific route of an interface wins over one, and a connection to a link-local IPv6
// address names its interface, so that routes of none are passed over: the machine was reached that way.
// Only whoever governs the user namespace that owns the network can change a rule, and nobody in it does.
import { closeSync, existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { messageOf } from '../errors.ts'
import { formatNetwork, type IpNetwork, parseNetwork } from './ipNetwork.ts'
import { askNetlink, indexOfInterface, openNetlink } from './libc/netlink.ts'
import type { Networks, RunNetwork } from './networks.ts'
import {
  dumpLocalRoutes,
  dumpRules,
  newBoundRule,
  newLocalRoute,
  newRule,
  type Port,
  type Rule,
  readLocal,
  readUnreachable,
} from './routingMessages.ts'

/** A kernel without IPv6 has no such table (and no such address to reach). */
const families = (): readonly IpNetwork['family'][] => (existsSync('/proc/net/if_inet6') ? ['inet', 'inet6'] : ['inet'])

/** Behind the table of the namespace's own addresses (0), before the one of its routes (32766); what is bound goes before what is unreachable. */
const priority = { resolver: 1, bound: 2, unreachable: 3 } as const
/** Of routes of ours: 253 to 255 are the kernel's own (ip-route(8)). */
const boundTable = 200

/** DNS, over TCP and UDP. */
const dnsPorts: readonly Port[] = [6, 17].map((protocol) => ({ protocol, number: 53 }))

/** Rules are looked through one by one for every new connection. */
const mostNetworks = 1_000

export interface NetworkLimits {
  /** Networks such as '10.0.0.0/8', and addresses. */
  readonly unreachable: readonly string[]
  /** Addresses of which the port for DNS, and that alone, is reached all the same. */
  readonly resolvers?: readonly string[]
}

/** Sets the rules and looks whether each is there; throws naming the network of the first that is not. */
export const limitNetwork = (networks: Networks, network: RunNetwork, limits: NetworkLimits): void => {
  const { unreachable, resolvers = [] } = limits
  if (unreachable.length + resolvers.length > mostNetworks)
    throw new Error(`more than ${mostNetworks} networks cannot be limited`)
  const socket = networks.within(network, () => openNetlink('routing'))
  try {
    for (const to of networksOf(resolvers))
      for (const port of dnsPorts) setRule(socket, { to, priority: priority.resolver, action: 'look up', port })
    const wanted = networksOf(unreachable)
    for (const to of wanted) setRule(socket, { to, priority: priority.unreachable, action: 'unreachable' })
    requireAll(wanted, unreachableIn(socket))
  } finally {
    closeSync(socket)
  }
}

/**
 * For IPv4 a rule that answers "unreachable" is not the last word: where a socket is bound to an interface (SO_BINDTODEVICE, which
 * needs no privilege since Linux 5.7, or IP_PKTINFO for one packet) the kernel takes a lookup that failed for a table that
 * is wrong, and sends to the address as to a neighbour (ip_route_output_key_hash_rcu in net/ipv4/route.c). So such a lookup must
 * find something: what must be unreachable is then the namespace's own, and stays in it. To be called once the interface is there.
 */
export const limitBound = (networks: Networks, network: RunNetwork, unreachable: readonly string[]): void => {
  const [socket, interfaces] = networks.within(network, () => [openNetlink('routing'), interfacesHere()] as const)
  try {
    for (const { name, index } of interfaces) {
      askNetlink(socket, newBoundRule({ family: 'inet', interface: name, priority: priority.bound, table: boundTable }))
      for (const to of networksOf(unreachable).filter(({ family }) => family === 'inet')) setRoute(socket, to, index)
    }
  } finally {
    closeSync(socket)
  }
}

const setRoute = (socket: number, to: IpNetwork, interfaceIndex: number): void => {
  try {
    askNetlink(socket, newLocalRoute(to, boundTable, interfaceIndex))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    throw new Error(`network ${formatNetwork(to)} could not be limited for bound sockets: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

/** Those that lead out, by name and index. */
const interfacesHere = (): readonly { readonly name: string; readonly index: number }[] =>
  Object.keys(networkInterfaces())
    .filter((name) => name !== 'lo')
    .map((name) => ({ name, index: indexOfInterface(name) }))

const networksOf = (texts: readonly string[]): readonly IpNetwork[] => {
  const known = families()
  return texts.map(parseNetwork).filter(({ family }) => known.includes(family))
}

const setRule = (socket: number, rule: Rule): void => {
  try {
    askNetlink(socket, newRule(rule))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    throw new Error(`network ${formatNetwork(rule.to)} could not be limited: ${messageOf(error)}`, { cause: error })
  }
}

const unreachableIn = (socket: number): readonly IpNetwork[] =>
  families().flatMap((family) =>
    askNetlink(socket, dumpRules(family)).flatMap(
      (message) => readUnreachable(family, message, priority.unreachable) ?? [],
    ),
  )

const requireAll = (wanted: readonly IpNetwork[], found: readonly IpNetwork[]): void => {
  const known = new Set(found.map(formatNetwork))
  const missing = wanted.map(formatNetwork).find((each) => !known.has(each))
  if (missing !== undefined) throw new Error(`network ${missing} can be reached although it was to be unreachable`)
}

/** Whatever is an address of this machine's own, on interfaces without a cable too: what its table of local routes holds. */
export const localNetworks = (): readonly string[] => {
  const socket = openNetlink('routing')
  try {
    return families().flatMap((family) =>
      askNetlink(socket, dumpLocalRoutes(family))
        .flatMap((message) => readLocal(family, message) ?? [])
        .map(formatNetwork),
    )
  } finally {
    closeSync(socket)
  }
}
