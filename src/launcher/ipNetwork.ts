// '10.0.0.0/8' as the kernel has it, and back. What is no network is an error: it comes from a process that is not trusted.
import { isIPv4, isIPv6 } from 'node:net'

export interface IpNetwork {
  readonly family: 'inet' | 'inet6'
  /** The address in network order. */
  readonly bytes: Buffer
  /** How many bits of it count. */
  readonly prefix: number
}

const bytesOf4 = (text: string): number[] => text.split('.').map(Number)

/** Eight groups, of which '::' stands for as many as are missing; the last two may be written as an IPv4 address (RFC 4291 section 2.2). */
const bytesOf6 = (text: string): number[] => {
  const [before = '', after] = text.split('::').map(groupsOf)
  const head = before === '' ? [] : before
  if (after === undefined) return [...head]
  return [...head, ...Array<number>(16 - head.length - after.length).fill(0), ...after]
}

const groupsOf = (text: string): number[] =>
  text === '' ? [] : text.split(':').flatMap((group) => (group.includes('.') ? bytesOf4(group) : bytesOfGroup(group)))

const bytesOfGroup = (group: string): number[] => {
  const value = Number.parseInt(group, 16)
  return [value >> 8, value & 255]
}

/** An address without a length is itself alone. Throws where it is neither. */
export const parseNetwork = (text: string): IpNetwork => {
  const [address = '', length, ...rest] = text.split('/')
  const family = isIPv4(address) ? 'inet' : isIPv6(address) && !address.includes('%') ? 'inet6' : undefined
  if (family === undefined || rest.length > 0) throw new Error(`"${text}" is no network`)
  const bytes = Buffer.from(family === 'inet' ? bytesOf4(address) : bytesOf6(address))
  const prefix = length === undefined ? bytes.length * 8 : Number(length)
  if (!/^\d*$/.test(length ?? '') || length === '' || prefix > bytes.length * 8)
    throw new Error(`"${text}" is no network: its length is none of 0 to ${bytes.length * 8}`)
  return { family, bytes: masked(bytes, prefix), prefix }
}

/** Bits that do not count are zero: the kernel refuses others. */
const masked = (bytes: Buffer, prefix: number): Buffer =>
  Buffer.from(bytes.map((byte, index) => byte & (0xff00 >> Math.min(Math.max(prefix - index * 8, 0), 8)) & 0xff))

/** The same text for the same network, however it was written. */
export const formatNetwork = ({ family, bytes, prefix }: IpNetwork): string => {
  const address =
    family === 'inet'
      ? [...bytes].join('.')
      : Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(group * 2).toString(16)).join(':')
  return `${address}/${prefix}`
}
