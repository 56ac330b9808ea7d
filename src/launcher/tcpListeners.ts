// Who listens on a TCP port, asked of the kernel directly (sock_diag(7)). /proc/net/tcp tells the same, but reading it walks the
// table of all connections: some 4 ms on a quiet machine, in the path of every wake. It is read where the kernel has nobody to
// answer: inet_diag is a module that a small kernel lacks, and that none takes in once kernel.modules_disabled is set.
import { closeSync, readFileSync } from 'node:fs'
import { SystemError } from './libc/call.ts'
import { askNetlink, openNetlink } from './libc/netlink.ts'

/** Uids of the sockets that listen on a port, of both families. Throws a SystemError where the kernel does not answer. */
export type ListenersOn = (port: number) => number[]

/** The quick way while there is one. */
export const createListenersOn = (ask: ListenersOn = askSockDiag, read: ListenersOn = readTables): ListenersOn => {
  // Asked once only: each question that nobody answers has the kernel run modprobe, and its asker wait for that.
  let hasAnswer = true
  return (port) => {
    if (!hasAnswer) return read(port)
    try {
      return ask(port)
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== 'ENOENT') throw error
      hasAnswer = false
      return read(port)
    }
  }
}

const requestBytes = 72
/** struct inet_diag_msg begins behind the 16 bytes of struct nlmsghdr; its uid stands at byte 64 (linux/inet_diag.h). */
const uidOffset = 16 + 64

const families = { inet: 2, inet6: 10 } as const
const sockDiagByFamily = 20
const tcp = 6
const tcpListen = 10

/** struct nlmsghdr and struct inet_diag_req_v2: every listening socket of a family on one local port. */
const requestFor = (family: number, port: number): Buffer => {
  const request = Buffer.alloc(requestBytes)
  request.writeUInt32LE(requestBytes, 0)
  request.writeUInt16LE(sockDiagByFamily, 4)
  request.writeUInt16LE(0x301, 6) // NLM_F_REQUEST | NLM_F_DUMP
  request.writeUInt8(family, 16)
  request.writeUInt8(tcp, 17)
  request.writeUInt32LE(1 << tcpListen, 20)
  request.writeUInt16BE(port, 24)
  return request
}

const askSockDiag: ListenersOn = (port) => {
  const socket = openNetlink('diagnosis')
  try {
    return [families.inet, families.inet6].flatMap((family) =>
      askNetlink(socket, requestFor(family, port))
        .filter((message) => message.readUInt16LE(4) === sockDiagByFamily)
        .map((message) => message.readUInt32LE(uidOffset)),
    )
  } finally {
    closeSync(socket)
  }
}

/** Of the network of the caller. A kernel without IPv6 has one table. */
export const readTables: ListenersOn = (port) =>
  ['/proc/self/net/tcp', '/proc/self/net/tcp6'].flatMap((table) => listenersIn(readTable(table), port))

const readTable = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && path.endsWith('6')) return ''
    throw error
  }
}

/** Columns: number, local address and port, remote ones, state, two pairs of counters, retransmissions, uid (proc_pid_net(5)); a head. */
const listenersIn = (table: string, port: number): number[] =>
  table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state = '']) => state === '0A' && Number.parseInt(local.split(':')[1] ?? '', 16) === port)
    .map((columns) => Number(columns[7]))
