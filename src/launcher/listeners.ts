// Listening sockets as bare descriptors. Node never learns of them here: a net.Server would accept connections itself,
// even after its handle went to another process. The kernel queues connections while nobody accepts.
import { chmodSync, chownSync, closeSync, lstatSync, unlinkSync } from 'node:fs'
import { isIP } from 'node:net'
import { listenOn, SystemError, socketFamily } from './libc.ts'
import type { ListenAddress } from './protocol.ts'

const inetAddress = (host: string, port: number): Buffer => {
  const address = Buffer.alloc(16)
  address.writeUInt16LE(socketFamily.inet, 0)
  address.writeUInt16BE(port, 2)
  host.split('.').forEach((byte, index) => {
    address.writeUInt8(Number(byte), 4 + index)
  })
  return address
}

/** The sixteen bytes of an IPv6 address in any of its spellings (RFC 4291 section 2.2). */
const inet6Bytes = (host: string): Buffer => {
  // The URL parser writes every spelling, embedded IPv4 included, in the compressed hexadecimal form.
  const [left = '', right] = new URL(`http://[${host}]/`).hostname.slice(1, -1).split('::')
  const groups = (text: string): number[] =>
    text
      .split(':')
      .filter(Boolean)
      .map((group) => Number.parseInt(group, 16))
  const head = groups(left)
  const tail = groups(right ?? '')
  const bytes = Buffer.alloc(16)
  head.forEach((group, index) => {
    bytes.writeUInt16BE(group, index * 2)
  })
  tail.forEach((group, index) => {
    bytes.writeUInt16BE(group, 16 - (tail.length - index) * 2)
  })
  return bytes
}

const inet6Address = (host: string, port: number): Buffer => {
  const address = Buffer.alloc(28)
  address.writeUInt16LE(socketFamily.inet6, 0)
  address.writeUInt16BE(port, 2)
  inet6Bytes(host).copy(address, 8)
  return address
}

/** Where the config has an address. */
type ListenKey = 'settings.listen' | 'settings.metrics'

/** A socket, or why there is none and whether that is only because this machine has no IPv6. */
type Listened = { readonly fd: number } | { readonly problem: Error; readonly isFamilyMissing: boolean }

const listenTcp = ({ host, port }: ListenAddress, key: ListenKey, isBoth: boolean): Listened => {
  try {
    const fd =
      isIP(host) === 6
        ? listenOn(socketFamily.inet6, inet6Address(host, port), { ipv6Only: !isBoth })
        : listenOn(socketFamily.inet, inetAddress(host, port))
    return { fd }
  } catch (error) {
    const code = error instanceof SystemError ? error.code : ''
    const reason = reasons[code]?.(key) ?? String(error)
    const problem = new Error(`cannot listen on ${written({ host, port })}: ${reason}`, { cause: error })
    const isFamilyMissing = code === 'EAFNOSUPPORT' || (code === 'EADDRNOTAVAIL' && ['::', '::1'].includes(host))
    return { problem, isFamilyMissing }
  }
}

const written = ({ host, port }: ListenAddress): string => (isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`)

const reasons: Readonly<Record<string, (key: ListenKey) => string>> = {
  EADDRINUSE: (key) => `another program listens there; stop it, or change ${key}`,
  EACCES: (key) => `this user may not take a port that low; start tenement as root, or change ${key}`,
  EADDRNOTAVAIL: () => 'this machine has no such address',
  EAFNOSUPPORT: () => 'this machine has no IPv6',
}

/**
 * Listens on every address; "::" takes IPv4 too unless 0.0.0.0 is listed with the same port. A machine without IPv6 loses those
 * addresses with a warning as long as another is left. Throws an Error that names the address that cannot be had, and the key that
 * has it.
 */
export const listenAll = (
  addresses: readonly ListenAddress[],
  key: ListenKey,
  warn: (message: string) => void,
): number[] => {
  const results = addresses.map((address) =>
    listenTcp(address, key, address.host === '::' && !hasIpv4Twin(addresses, address)),
  )
  const opened = results.flatMap((result) => ('fd' in result ? [result.fd] : []))
  const failed = results.flatMap((result) => ('problem' in result ? [result] : []))
  const fatal = failed.find(({ isFamilyMissing }) => !isFamilyMissing || opened.length === 0)
  if (fatal !== undefined) {
    for (const fd of opened) closeSync(fd)
    throw fatal.problem
  }
  for (const { problem } of failed) warn(problem.message)
  return opened
}

const hasIpv4Twin = (addresses: readonly ListenAddress[], { port }: ListenAddress): boolean =>
  addresses.some((each) => each.host === '0.0.0.0' && each.port === port)

const unixAddress = (path: string): Buffer => {
  const text = Buffer.from(path)
  // struct sockaddr_un holds 108 bytes with the final NUL (unix(7)).
  if (text.length > 107) throw new Error(`socket path "${path}" is ${text.length} bytes long, the kernel allows 107`)
  return Buffer.concat([Buffer.from([socketFamily.unix, 0]), text, Buffer.from([0])])
}

/** Listens on a unix socket in a directory that only tenement writes, replacing one left by an earlier run. */
export const listenUnix = (
  path: string,
  owner: { readonly uid: number; readonly gid: number },
  mode: number,
): number => {
  removeSocket(path)
  const fd = listenOn(socketFamily.unix, unixAddress(path))
  try {
    chownSync(path, owner.uid, owner.gid)
    chmodSync(path, mode)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Removes a socket file; anything else of that name stays, and listening there then fails. */
export const removeSocket = (path: string): void => {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path)
}
