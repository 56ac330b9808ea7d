// The launcher's way into the network namespaces of runs, for the microseconds it takes to open a socket there (setns(2)).
// What is kept of a namespace is a descriptor: a pid may be somebody else's by the next connection, a descriptor never leads elsewhere.
// The surprising thing: if the way back fails, the process ends. Nothing may ever go on in a tenant's namespace.
import { closeSync, fstatSync, openSync } from 'node:fs'
import { messageOf } from '../errors.ts'
import { enterNetwork } from './libc/networks.ts'
import { type FirstProcess, statOf } from './processes.ts'

/** The network namespace of one run. */
export interface RunNetwork {
  readonly fd: number
  readonly isClosed: () => boolean
  /** Done once; connections that are being opened then fail. */
  close(): void
}

export interface Networks {
  /** Opens the network namespace of the first process of a run. Throws where that is not a network of its own. */
  open(first: FirstProcess): RunNetwork
  /** Runs `act` inside; it must be synchronous, and the shorter the better. */
  within<T>(network: RunNetwork, act: () => T): T
}

/** Call it while the process is still in the namespace it is to come back to. */
export const createNetworks = (own = openSync('/proc/self/ns/net', 'r')): Networks => {
  const within = <T>(network: RunNetwork, act: () => T): T => {
    if (network.isClosed()) throw new Error('the run has ended')
    enterNetwork(network.fd)
    try {
      return act()
    } finally {
      comeBack(own)
    }
  }

  const open = (first: FirstProcess): RunNetwork => {
    const network = openNetworkOf(first)
    try {
      if (fstatSync(network.fd).ino === fstatSync(own).ino) throw new Error('it has no network of its own')
      enter(network)
      return network
    } catch (error) {
      network.close()
      throw error
    }
  }

  /** Tried when the run begins, so that a launcher which may not do it says so then and not at the first request. */
  const enter = (network: RunNetwork): void => {
    try {
      within(network, () => undefined)
    } catch (error) {
      throw new Error(`its network cannot be entered without root: ${messageOf(error)}`, { cause: error })
    }
  }

  return { within, open }
}

const comeBack = (own: number): void => {
  try {
    enterNetwork(own)
  } catch {
    process.abort()
  }
}

/** The process is looked at once more after its namespace was opened: as long as it lives its pid is nobody else's. */
const openNetworkOf = ({ pid, startTicks }: FirstProcess): RunNetwork => {
  const fd = openSync(`/proc/${pid}/ns/net`, 'r')
  let isClosed = false
  const close = (): void => {
    if (!isClosed) closeSync(fd)
    isClosed = true
  }
  if (statOf(pid)?.startTicks === startTicks) return { fd, isClosed: () => isClosed, close }
  close()
  throw new Error(`process ${pid} has ended`)
}
