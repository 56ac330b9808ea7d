// Connections into the network of a run: opened inside it, handed to whoever asked. An instance that takes no connections
// (its queue is full) costs a timer and a descriptor for a while, and never anybody else's time.
import { closeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { beginConnecting, isConnected, openTcpSocket } from './libc/networks.ts'
import type { Networks, RunNetwork } from './networks.ts'

/** Resolves with the descriptor of a connected socket, which the caller closes; rejects with the reason there is none. */
export type ConnectInside = (network: RunNetwork, port: number) => Promise<number>

/** Connections that wait to be accepted, of one run and of all together. Beyond them a further one is refused at once. */
const waitingPerRun = 64
const waitingTogether = 512

/** Longer than it takes until the first lost packet is sent again (1 s, RFC 6298), shorter than the router waits. */
const patienceMs = 2_000
const longestPauseMs = 100

export const createConnector = (networks: Networks): ConnectInside => {
  const waiting = new Map<RunNetwork, number>()
  let together = 0

  const count = (network: RunNetwork, change: 1 | -1): void => {
    together += change
    const left = (waiting.get(network) ?? 0) + change
    if (left === 0) waiting.delete(network)
    else waiting.set(network, left)
  }

  /** On the loopback a connection stands, or is refused, by the time connect(2) returns: only a full queue makes it wait. */
  const wait = async (network: RunNetwork, port: number, fd: number): Promise<void> => {
    const own = waiting.get(network) ?? 0
    if (own >= waitingPerRun || together >= waitingTogether)
      throw new Error(`${own} connections wait already to be accepted on port ${port}`)
    count(network, 1)
    try {
      const deadline = performance.now() + patienceMs
      for (let pauseMs = 1; performance.now() < deadline; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
        await delay(pauseMs)
        if (network.isClosed()) throw new Error('the run has ended')
        if (isConnected(fd)) return
      }
      throw new Error(`port ${port} did not accept a connection within ${patienceMs} ms`)
    } finally {
      count(network, -1)
    }
  }

  return async (network, port) => {
    const fd = networks.within(network, openTcpSocket)
    try {
      beginConnecting(fd, port)
      if (!isConnected(fd)) await wait(network, port, fd)
      return fd
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }
}
