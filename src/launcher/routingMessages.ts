// Rules and routes as the kernel's routing tables are told of them and tell them (rtnetlink(7), linux/fib_rules.h).
// Knows the bytes, and neither sockets nor what the rules are for.
import type { IpNetwork } from './ipNetwork.ts'

export interface Port {
  /** IPPROTO_TCP is 6, IPPROTO_UDP 17. */
  readonly protocol: number
  readonly number: number
}

/** Rules are asked in the order of their priority, the smallest first. */
export interface Rule {
  readonly to: IpNetwork
  readonly priority: number
  readonly action: 'look up' | 'unreachable'
  readonly port?: Port
}

/** A table of routes of ours, which is asked for packets that are bound to an interface alone. */
export interface BoundTable {
  readonly family: IpNetwork['family']
  readonly interface: string
  readonly priority: number
  readonly table: number
}

const familyNumbers = { inet: 2, inet6: 10 } as const
const addressBytes = { inet: 4, inet6: 16 } as const
/** FR_ACT_TO_TBL and FR_ACT_UNREACHABLE, which answers ENETUNREACH. */
const actions = { 'look up': 1, unreachable: 7 } as const
const tables = { main: 254, local: 255 } as const
/** RTN_LOCAL, and RTN_ANYCAST of a machine that forwards IPv6. */
const localRoutes: readonly number[] = [2, 4]
/** RTPROT_STATIC, RT_SCOPE_HOST, RTN_LOCAL. */
const [setByHand, withinHost, local] = [4, 254, 2]

/** Types of messages, and their flags: NLM_F_REQUEST with ACK, EXCL and CREATE, or with DUMP. */
const kinds = {
  newRoute: { type: 24, flags: 0x605 },
  newRule: { type: 32, flags: 0x605 },
  dumpRules: { type: 34, flags: 0x301 },
  dumpRoutes: { type: 26, flags: 0x301 },
} as const

/** FRA_*; RTA_DST and RTA_TABLE have the numbers of FRA_DST and FRA_TABLE, RTA_OIF is the one they call outgoing. */
const attributes = {
  destination: 1,
  outgoing: 4,
  priority: 6,
  suppressGroup: 13,
  suppressPrefix: 14,
  table: 15,
  outgoingName: 17,
  setBy: 21,
  ipProtocol: 22,
  portRange: 24,
} as const

/** struct nlmsghdr. */
const headerBytes = 16

const requestOf = (kind: keyof typeof kinds, body: Buffer): Buffer => {
  const header = Buffer.alloc(headerBytes)
  header.writeUInt32LE(headerBytes + body.length, 0)
  header.writeUInt16LE(kinds[kind].type, 4)
  header.writeUInt16LE(kinds[kind].flags, 6)
  return Buffer.concat([header, body])
}

/** A length that counts its own header, a type, the value, padded to four bytes. */
const writeAttribute = (type: number, value: Buffer): Buffer => {
  const bytes = Buffer.alloc((4 + value.length + 3) & ~3)
  bytes.writeUInt16LE(4 + value.length, 0)
  bytes.writeUInt16LE(type, 2)
  value.copy(bytes, 4)
  return bytes
}

const readAttributes = (bytes: Buffer): ReadonlyMap<number, Buffer> => {
  const found = new Map<number, Buffer>()
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = Math.max(bytes.readUInt16LE(at), 4)
    found.set(bytes.readUInt16LE(at + 2), bytes.subarray(at + 4, at + length))
    at += (length + 3) & ~3
  }
  return found
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

const portSelectors = ({ protocol, number }: Port): readonly Buffer[] => {
  const range = Buffer.alloc(4)
  range.writeUInt16LE(number, 0)
  range.writeUInt16LE(number, 2)
  return [writeAttribute(attributes.ipProtocol, Buffer.from([protocol])), writeAttribute(attributes.portRange, range)]
}

/** struct fib_rule_hdr with its attributes. The kernel answers EEXIST where the very rule is there. */
export const newRule = ({ to, priority, action, port }: Rule): Buffer => {
  const table = action === 'look up' ? tables.main : 0
  return requestOf(
    'newRule',
    Buffer.concat([
      Buffer.from([familyNumbers[to.family], to.prefix, 0, 0, table, 0, 0, actions[action], 0, 0, 0, 0]),
      // Without a destination a rule is for every one.
      ...(to.prefix === 0 ? [] : [writeAttribute(attributes.destination, to.bytes)]),
      writeAttribute(attributes.priority, uint32(priority)),
      ...(port === undefined ? [] : portSelectors(port)),
    ]),
  )
}

/** A rule that leads what is bound to an interface, and nothing else, to a table of ours. */
export const newBoundRule = ({ family, interface: name, priority, table }: BoundTable): Buffer =>
  requestOf(
    'newRule',
    Buffer.concat([
      Buffer.from([familyNumbers[family], 0, 0, 0, table, 0, 0, actions['look up'], 0, 0, 0, 0]),
      writeAttribute(attributes.priority, uint32(priority)),
      writeAttribute(attributes.outgoingName, Buffer.from(`${name}\0`)),
    ]),
  )

/** struct rtmsg: all of a network is the namespace's own, as seen through one of its interfaces. */
export const newLocalRoute = (to: IpNetwork, table: number, interfaceIndex: number): Buffer =>
  requestOf(
    'newRoute',
    Buffer.concat([
      Buffer.from([familyNumbers[to.family], to.prefix, 0, 0, table, setByHand, withinHost, local, 0, 0, 0, 0]),
      writeAttribute(attributes.destination, to.bytes),
      writeAttribute(attributes.outgoing, uint32(interfaceIndex)),
    ]),
  )

/** struct fib_rule_hdr or struct rtmsg, of which a dump may name the family and the table. */
const dumpBody = (family: IpNetwork['family'], table: number): Buffer =>
  Buffer.from([familyNumbers[family], 0, 0, 0, table, 0, 0, 0, 0, 0, 0, 0])

export const dumpRules = (family: IpNetwork['family']): Buffer => requestOf('dumpRules', dumpBody(family, 0))
export const dumpLocalRoutes = (family: IpNetwork['family']): Buffer =>
  requestOf('dumpRoutes', dumpBody(family, tables.local))

const destinationOf = (family: IpNetwork['family'], message: Buffer): IpNetwork => ({
  family,
  prefix: message.readUInt8(headerBytes + 1),
  bytes: readAttributes(message.subarray(headerBytes + 12)).get(attributes.destination) ?? zeros(family),
})

const zeros = (family: IpNetwork['family']): Buffer => Buffer.alloc(addressBytes[family])

/** What does not narrow a rule to some packets. */
const harmless: ReadonlySet<number> = new Set([
  ...[attributes.destination, attributes.priority, attributes.table, attributes.setBy],
  ...[attributes.suppressGroup, attributes.suppressPrefix],
])

/** Where a rule of a dump leads nowhere, whoever asks, at this priority; undefined for every other rule. */
export const readUnreachable = (
  family: IpNetwork['family'],
  message: Buffer,
  priority: number,
): IpNetwork | undefined => {
  const [sourceLength, typeOfService, action] = [2, 3, 7].map((at) => message.readUInt8(headerBytes + at))
  if (sourceLength !== 0 || typeOfService !== 0 || action !== actions.unreachable) return undefined
  const found = readAttributes(message.subarray(headerBytes + 12))
  if (found.get(attributes.priority)?.readUInt32LE() !== priority) return undefined
  return [...found.keys()].every((type) => harmless.has(type)) ? destinationOf(family, message) : undefined
}

/** What a route of a dump says is the machine's own; undefined for every other route. */
export const readLocal = (family: IpNetwork['family'], message: Buffer): IpNetwork | undefined =>
  message.readUInt8(headerBytes + 4) === tables.local && localRoutes.includes(message.readUInt8(headerBytes + 7))
    ? destinationOf(family, message)
    : undefined
